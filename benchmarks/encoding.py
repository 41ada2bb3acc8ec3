"""Encode once: one volume registered with many others, with and without keeping codes."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.interleave import interleave
from benchmarks.machine import finish
from benchmarks.report import Cell, Column, Table, median, median_ratio
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Volume

COLUMNS = (
    Column(name="codes"),
    Column(name="encodings", digits=0),
    Column(name="registration, s", digits=3),
    Column(name="of it encode + decode, s", digits=3),
    Column(name="ratio"),
    Column(name="ratio of encode + decode"),
)


class Seconds(NamedTuple):
    """Of one round, per registration."""

    whole: float
    network: float


class OneAgainstMany:
    """Registers every other volume onto one.

    Args:
        forget_each: throw all codes away before each registration.
        know_others: have the others' codes at hand beforehand, as a store of earlier subjects has.
    """

    def __init__(
        self,
        model: RegistrationModel,
        fixed: Volume,
        others: Sequence[Volume],
        *,
        forget_each: bool = False,
        know_others: bool = False,
    ) -> None:
        self.model, self.fixed, self.others = model, fixed, others
        self.forget_each, self.know_others = forget_each, know_others

    @property
    def encodings(self) -> int:
        """Encodings that a round needs."""
        if self.forget_each:
            return 2 * len(self.others)
        return 1 if self.know_others else 1 + len(self.others)

    def __call__(self) -> Seconds:
        self.model.codes.clear()
        if self.know_others:
            for volume in self.others:
                self.model.encode(volume)
        network = 0.0
        started = time.perf_counter()
        for volume in self.others:
            if self.forget_each:
                self.model.codes.clear()
            timings = self.model.register(volume, self.fixed).timings
            network += timings["encode"] + timings["decode"]
        finish(self.model.device)
        count = len(self.others)
        return Seconds((time.perf_counter() - started) / count, network / count)


def measure_encoding(
    model: RegistrationModel,
    fixed: Volume,
    others: Sequence[Volume],
    rounds: int = 5,
    budget_seconds: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Compare encoding for each registration with encoding each volume once."""
    cases = {
        "encoded for each registration": OneAgainstMany(model, fixed, others, forget_each=True),
        "each volume encoded once": OneAgainstMany(model, fixed, others),
        "the others' known before": OneAgainstMany(model, fixed, others, know_others=True),
    }
    found = interleave(cases, rounds, budget_seconds, progress=progress)
    each = next(iter(found.values()))
    rows: list[tuple[Cell, ...]] = []
    for name, seconds in found.items():
        rows.append(
            (
                name,
                float(cases[name].encodings),
                median([s.whole for s in seconds]),
                median([s.network for s in seconds]),
                median_ratio([s.whole for s in seconds], [s.whole for s in each]),
                median_ratio([s.network for s in seconds], [s.network for s in each]),
            )
        )
    return Table(
        title="Encode once",
        note=(
            f"One volume registered with {len(others)} others, feed-forward; seconds per registration, medians over "
            f"interleaved rounds ({len(each)}). The rest of a registration brings the field to the fixed volume's "
            "grid, inverts it and restores the predicted labels."
        ),
        columns=COLUMNS,
        rows=tuple(rows),
    )
