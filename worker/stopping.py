"""Told to end: a job in progress is broken off where that is safe, and given back."""

from collections.abc import Iterator
from contextlib import contextmanager


class WorkerStopping(BaseException):
    """The process was told to end. Not an ``Exception``: nobody on the way may take it for a failure."""


class Stopping:
    """Whether this process was told to end. ``request`` is called from a signal handler, in the main thread."""

    def __init__(self) -> None:
        self.requested = False
        self._breakable = False

    def request(self) -> None:
        """End soon. Raises ``WorkerStopping`` out of what may be broken off."""
        self.requested = True
        if self._breakable:
            self._breakable = False
            raise WorkerStopping

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """What happens inside is broken off when the process is told to end."""
        self._breakable = True
        try:
            self.check()
            yield
        finally:
            self._breakable = False

    def check(self) -> None:
        """Raises ``WorkerStopping`` if the process was told to end."""
        if self.requested:
            raise WorkerStopping
