"""Server-sent events (WHATWG HTML, section 9.2), as far as a job's stream uses them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    """One event.

    Args:
        id: to be sent as ``Last-Event-ID`` when the stream is taken up again; the last one seen where it has none.
        data: its lines, joined.
    """

    id: str | None
    data: str


def parse_events(lines: Iterable[str]) -> Iterator[ServerEvent | None]:
    """Events of a stream; None for each line that ends none, so that a reader can look at its clock.

    Args:
        lines: without their ends.
    """
    last_id: str | None = None
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(last_id, "\n".join(data))
            data = []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "id" and "\0" not in value:
            last_id = value
        yield None
