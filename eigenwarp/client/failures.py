"""Which failures may be gone at another try, and which answers are final."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from eigenwarp.client.problems import error_of_answer
from eigenwarp.errors import EigenwarpError, RateLimitedError, ServiceUnreachableError

_PASSING_STATUSES = frozenset({429, 502, 503, 504})


class PassingFailure(Exception):
    """A failure that may be gone at another try.

    Args:
        error: what to raise once no more is tried.
        retry_after: seconds that the service asked for.
    """

    def __init__(self, error: EigenwarpError, retry_after: float | None = None) -> None:
        super().__init__(error.detail)
        self.error = error
        self.retry_after = retry_after


@contextmanager
def failures(method: str, path: str) -> Iterator[None]:
    """Around everything that uses the connection.

    Raises:
        PassingFailure: it could not be made, or broke.
    """
    try:
        yield
    except httpx.TransportError as error:
        # Several of httpx's errors say nothing of themselves.
        reason = str(error) or type(error).__name__
        raise PassingFailure(ServiceUnreachableError(f"{method} {path}: no answer: {reason}")) from error


def raise_answer(call: str, response: httpx.Response) -> None:
    """Raise what a refusing answer, read to its end, stands for.

    Raises:
        PassingFailure: the service asks to come again, or a proxy before it found it away.
        EigenwarpError: any other.
    """
    error = error_of_answer(call, response.status_code, response.content)
    wanted = _seconds(response.headers.get("Retry-After"))
    if isinstance(error, RateLimitedError) and wanted is not None:
        error.retry_after = wanted
    if response.status_code in _PASSING_STATUSES:
        raise PassingFailure(error, wanted)
    raise error


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is left to our own pauses."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else None
