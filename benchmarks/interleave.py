"""Repeated measurements in which every case sees the machine's same good and bad moments."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Result = TypeVar("Result")


def interleave(
    cases: Mapping[str, Callable[[], Result]],
    rounds: int,
    budget_seconds: float,
    *,
    warm_up: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Result]]:
    """Run every case once a round, each round starting with another case.

    Args:
        cases: what to run, by name.
        rounds: at most; at least one is run.
        budget_seconds: no round is begun that is expected to end later than this.
        warm_up: run every case once before what counts.
        progress: called with a case's name before each run.

    Returns:
        What each case returned, in the order of the rounds.
    """
    started = time.perf_counter()
    names = list(cases)
    if warm_up:
        for name in names:
            progress(f"{name} (warm-up)")
            cases[name]()
    results: dict[str, list[Result]] = {name: [] for name in names}
    for turn in range(rounds):
        begun = time.perf_counter()
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            progress(f"{name} ({turn + 1}/{rounds})")
            results[name].append(cases[name]())
        now = time.perf_counter()
        if now - started + (now - begun) > budget_seconds:
            break
    return results
