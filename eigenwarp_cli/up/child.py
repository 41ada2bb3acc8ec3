"""One process of the service: started, watched, started again, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_GUARD = Path(__file__).with_name("end_with_parent.py")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_STEADY_S = 30.0
_LOOK_S = 0.05
_LOG_BYTES = 16 * 1024**2


class Child:
    """A process that leads a group of its own, so that Ctrl-C at the terminal reaches the supervisor alone.

    Args:
        name: what it is called in messages; ``<name>.log`` is its log.
        command: the program and its arguments.
        environment: all of it.
        logs: the folder for its log; its output goes there and nowhere else.
        lock: a descriptor that it keeps open while it lives.
        grace: seconds between being asked to end and being killed.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path, lock: int, grace: float
    ) -> None:
        self.name = name
        self.grace = grace
        self.log = logs / f"{name}.log"
        self.early_ends = 0
        self._command = command
        self._environment = environment
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._start_at = 0.0

    def start(self) -> None:
        """Run it; the log of an earlier run is kept, beside this one once it is long."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
                pass_fds=(self._lock,),
            )
        self._started = time.monotonic()

    def tend(self) -> str | None:
        """Start it again if it has ended and its pause is over.

        Returns:
            What happened, for people; None where nothing did.
        """
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        # What it started, such as a worker's computing process, would go on beside the new one.
        self._signal_group(signal.SIGKILL)
        self._process = None
        steady = time.monotonic() - self._started >= _STEADY_S
        self.early_ends = 0 if steady else self.early_ends + 1
        pause = 0.0 if steady else min(_FIRST_PAUSE_S * 2 ** (self.early_ends - 1), _LONGEST_PAUSE_S)
        self._start_at = time.monotonic() + pause
        return f"{self.name} ended ({_reason(code)}); started again in {pause:.1f} s, see {self.log}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Of a process that has ended and was not started again."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int | None:
        """Of the process; None between two runs."""
        return None if self._process is None else self._process.pid

    def ask_to_end(self) -> None:
        """SIGTERM to the process alone: it knows what to do with its own children."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def ensure_end(self, in_a_hurry: Callable[[], bool]) -> bool:
        """Wait for the end, ``grace`` at most not at all in a hurry; then kill what is left of the group.

        Returns:
            Whether it ended by itself.
        """
        if self._process is None:
            return True
        deadline = time.monotonic() + self.grace
        while self._process.poll() is None and time.monotonic() < deadline and not in_a_hurry():
            time.sleep(_LOOK_S)
        orderly = self._process.poll() is not None
        self._signal_group(signal.SIGKILL)
        self._process.wait()
        self._process = None
        return orderly

    def last_words(self) -> str:
        """The last line of its log."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _signal_group(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
