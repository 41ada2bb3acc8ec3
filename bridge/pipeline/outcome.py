"""How a step ends, where it does not raise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.state.job_states import JobState


@dataclass(frozen=True)
class Advance:
    """On to another state.

    Args:
        notes: for later steps, above those that are there.
    """

    state: JobState
    rule: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """Nothing to do before so many seconds have passed; no try is counted."""

    seconds: float


@dataclass(frozen=True)
class Skip:
    """Nothing is to be done with this series."""

    code: str
    reason: str


@dataclass(frozen=True)
class Anew:
    """What the service was asked came to nothing and may not the next time: back to ``state``, counted as a try."""

    state: JobState
    code: str
    reason: str


@dataclass(frozen=True)
class GiveUp:
    """A dead letter."""

    code: str
    reason: str


Outcome = Advance | Wait | Skip | Anew | GiveUp
