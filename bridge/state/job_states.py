"""Where a job can be on its way.

``complete → selected → converted → submitted → computed → made → delivered → confirmed``; aside: ``skipped`` (no rule
takes it, or one says why not), ``superseded`` (more slices came before anything was sent), ``failed`` (a dead letter).
"""

from enum import StrEnum


class JobState(StrEnum):
    """Each is reached once what it names is on the disk."""

    COMPLETE = "complete"
    SELECTED = "selected"
    CONVERTED = "converted"
    SUBMITTED = "submitted"
    COMPUTED = "computed"
    MADE = "made"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    FAILED = "failed"


GOING_ON = (
    JobState.COMPLETE,
    JobState.SELECTED,
    JobState.CONVERTED,
    JobState.SUBMITTED,
    JobState.COMPUTED,
    JobState.MADE,
    JobState.DELIVERED,
)
"""States that a step leads on from, in order."""

NOTHING_SENT = GOING_ON[: GOING_ON.index(JobState.MADE)]
"""States in which no object has left for the archive: a later revision takes the place of such a job."""


class ResultState(StrEnum):
    """Of one object."""

    MADE = "made"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    FAILED = "failed"
