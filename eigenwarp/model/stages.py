"""How far a computation is: seconds per stage, and who wants to know, or to stop it."""

import time
from collections.abc import Callable, Mapping
from itertools import pairwise

OnStage = Callable[[str, float], None]
"""Called as a stage begins, and at each step of a long one, with its name and the share of all work that is done.

What it raises ends the computation: this is where a job is cancelled.
"""


def unwatched(stage: str, fraction: float) -> None:
    """Nobody wants to know."""


def part_of(on_stage: OnStage, start: float, end: float) -> OnStage:
    """For a computation that is itself a part of another one's work, from ``start`` to ``end``."""
    return lambda stage, fraction: on_stage(stage, start + fraction * (end - start))


class Stages:
    """The stages of one computation, begun in order.

    Args:
        work: about how much each stage is of the whole, in any unit.
        on_stage: who is told.
    """

    def __init__(self, work: Mapping[str, float], on_stage: OnStage = unwatched) -> None:
        total = sum(work.values())
        ends = [0.0]
        for amount in work.values():
            ends.append(ends[-1] + amount / total)
        self._spans = dict(zip(work, pairwise(ends), strict=True))
        self._on_stage = on_stage
        self._current: tuple[str, float] | None = None
        self.seconds: dict[str, float] = {}

    def begin(self, stage: str) -> None:
        """The stage before it, if any, has ended."""
        self.end()
        self._on_stage(stage, self._spans[stage][0])
        self._current = stage, time.perf_counter()

    def within(self, share: float) -> None:
        """So much of the current stage is done."""
        if self._current is not None:
            start, end = self._spans[self._current[0]]
            self._on_stage(self._current[0], start + share * (end - start))

    def end(self) -> None:
        """The current stage has ended."""
        if self._current is not None:
            stage, started = self._current
            self.seconds[stage] = time.perf_counter() - started
            self._current = None
