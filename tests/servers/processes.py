"""Processes that a test starts, waits for and stops, with their children."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

READY_SECONDS = 60.0


def wait_until(holds: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
    """Ask again and again, and fail where it does not come to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


class Running:
    """A process that leads a group of its own, so that it can be stopped with all its children.

    Args:
        command: the program and its arguments.
        log: file that its output is appended to.
        environment: added to this process's own.
        folder: that it runs in.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self.process.pid

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
        """As ``wait_until``, and fail at once where the process has ended."""

        def holds_or_dead() -> bool:
            if holds():
                return True
            assert self.process.poll() is None, f"{self.process.args!r} ended:\n{self.output()[-4000:]}"
            return False

        wait_until(holds_or_dead, what, seconds)

    def send(self, number: signal.Signals) -> None:
        """A signal to the process alone."""
        self.process.send_signal(number)

    def wait(self, seconds: float = READY_SECONDS) -> int:
        """For its end; its exit code."""
        return self.process.wait(seconds)

    def kill(self) -> None:
        """At once, with all children."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 10.0) -> None:
        """Ask it to end; kill what is left of the group."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.kill()


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[Running]:
    """A process for the time of a block."""
    process = Running(command, log, environment, folder)
    try:
        yield process
    finally:
        process.stop()
