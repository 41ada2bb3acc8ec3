"""Whether a worker consumes. A process that is there proves nothing: after a lost connection it may wait for ever."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.log import get_logger

_log = get_logger(__name__)
_BEAT_SECONDS = 2.0
# The consumer's loop turns once a second.
_LOOP_SECONDS = 30.0
# An idle worker takes a waiting message at once.
_HUNGRY_SECONDS = 60.0
STALE_SECONDS = 45.0


class Liveness:
    """Touches a file as long as messages are, or would be, consumed.

    That is: the consumer's loop turns, and no message waits while the worker is idle. While Redis is away there is
    nothing to consume and starting anew would help nothing.

    Args:
        file: whose age tells.
        waiting: how many messages wait in the queue.
        busy: whether the worker is at a job.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        file: Path,
        waiting: Callable[[], int],
        busy: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._waiting = waiting
        self._busy = busy
        self._clock = clock
        self._turned = self._fed = clock()
        self._stop = Event()
        self._thread = Thread(target=self._beat, name="liveness", daemon=True)

    def start(self) -> None:
        """Beat from now on."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """No more; the file goes."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._file.unlink(missing_ok=True)

    def turned(self) -> None:
        """The consumer's loop has turned."""
        self._turned = self._clock()

    def consumes(self) -> bool:
        """Whether messages are, or would be, taken from the queue."""
        now = self._clock()
        try:
            waiting = self._waiting()
        except StoreUnavailableError:
            self._turned = self._fed = now
            return True
        if not waiting or self._busy():
            self._fed = now
        return now - self._turned < _LOOP_SECONDS and now - self._fed < _HUNGRY_SECONDS

    def _beat(self) -> None:
        while True:
            try:
                if self.consumes():
                    self._file.touch()
                else:
                    _log.error("messages are no longer consumed")
            except Exception:
                _log.exception("the heartbeat failed")
            if self._stop.wait(_BEAT_SECONDS):
                return


def liveness_file(cache: Path, worker: str) -> Path:
    """Of a worker, by its name."""
    return cache / "workers" / f"{worker}.alive"


def is_alive(file: Path) -> bool:
    """Whether the worker that touches the file consumes."""
    try:
        return time.time() - file.stat().st_mtime < STALE_SECONDS
    except OSError:
        return False
