"""What a job of any kind gives."""

from collections.abc import Callable
from dataclasses import dataclass

from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.stores.database import HistoryEntry

NIFTI, JSON, PNG = "application/gzip", "application/json", "image/png"


@dataclass(frozen=True)
class Result:
    """One file.

    Args:
        name: under which callers ask for it.
        filename: under which they save it; also the last part of its key.
        content: makes its bytes; called once, maybe in another thread.
        keep_as: a second key to put it under, for what is asked for again and again.
    """

    name: str
    filename: str
    content_type: str
    content: Callable[[], bytes]
    keep_as: str | None = None


@dataclass(frozen=True)
class Outcome:
    """The files that a job made, and what of it is kept with the job's row."""

    results: tuple[Result, ...] = ()
    report: Report | None = None
    projection: Projection | None = None
    history: HistoryEntry | None = None
