"""Doing one thing from many threads at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Result = TypeVar("Result")


def race(calls: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """What each call returned or raised; none begins before all are ready."""
    ready = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result | Exception:
        ready.wait(timeout=30)
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def errors(outcomes: Sequence[object]) -> list[Exception]:
    """Those that were raised."""
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]
