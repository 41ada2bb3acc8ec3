"""Keeps processes running until it is asked to stop."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from eigenwarp.errors import ServiceStartError
from eigenwarp_cli.up.child import Child

_WATCH_S = 0.1
_EARLY_ENDS = 3
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class StopAsked(Exception):
    """Somebody wants the service to stop."""


class Supervisor:
    """Children that are started in order, tended while anything is waited for, and stopped group by group.

    Args:
        say: told what happens, for people.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._groups: list[list[Child]] = []
        self._asked = threading.Event()
        self._times_asked = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take Ctrl-C, SIGTERM and SIGHUP as the wish to stop."""
        earlier = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def start(self, children: Sequence[Child]) -> None:
        """Start a group. Of the groups the one that was started last is stopped first."""
        self._groups.append(list(children))
        for child in children:
            child.start()

    def run(self, child: Child, what: str, seconds: float) -> None:
        """Run a child that ends by itself, while the others are tended.

        Raises:
            StopAsked, ServiceStartError: as ``wait_for``; it fails, whereby the last line of its log is told.
        """
        child.start()
        try:
            self.wait_for(lambda: child.exit_code is not None, what, seconds)
            if child.exit_code != 0:
                raise ServiceStartError(f"{child.name} failed: {child.last_words()} ({child.log})")
        finally:
            child.ask_to_end()
            child.ensure_end(lambda: self._times_asked > 1)

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        """Tend the children until something holds.

        Args:
            what: is missing where it does not come to hold.

        Raises:
            StopAsked: meanwhile.
            ServiceStartError: it does not in time, or a child ends again and again; the last line of its log is told.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise ServiceStartError(f"not within {seconds:.0f} s: {what}{self._last_words()}")
            self._tend()
            for child in self._children():
                if child.early_ends >= _EARLY_ENDS:
                    raise ServiceStartError(
                        f"{child.name} ended {child.early_ends} times at its start: {child.last_words()} ({child.log})"
                    )

    def watch(self) -> None:
        """Tend the children until somebody wants the service to stop."""
        try:
            while True:
                self._tend()
        except StopAsked:
            return

    def stop(self) -> None:
        """Stop all groups, the last first: each child is asked, given its grace, then killed.

        Asked a second time, as by another Ctrl-C, nobody is waited for any more.
        """
        for group in reversed(self._groups):
            for child in group:
                child.ask_to_end()
            for child in group:
                if not child.ensure_end(lambda: self._times_asked > 1):
                    self._say(f"{child.name} did not end by itself and was killed")
        self._groups.clear()

    def _tend(self) -> None:
        for child in self._children():
            told = child.tend()
            if told is not None:
                self._say(told)
        if self._asked.wait(_WATCH_S):
            raise StopAsked

    def _children(self) -> Iterator[Child]:
        for group in self._groups:
            yield from group

    def _last_words(self) -> str:
        told = [f"{child.name}: {words}" for child in self._children() if (words := child.last_words())]
        return f" ({'; '.join(told)})" if told else ""

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._times_asked += 1
        self._asked.set()
