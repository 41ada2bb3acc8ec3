"""Recovery every few seconds, for as long as the process lives."""

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from eigenwarp.log import get_logger
from eigenwarp.queue.job_queue import JobQueue
from eigenwarp.queue.recovery import Recovered, recover
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Database
from eigenwarp.stores.objects import ObjectStore

_log = get_logger(__name__)


class RecoveryLoop:
    """A thread that recovers every ``recovery_seconds``. It outlives any store's absence and any defect of a round.

    A context manager: started inside, stopped on the way out.
    """

    def __init__(self, database: Database, queue: JobQueue, objects: ObjectStore, settings: Settings) -> None:
        self._round: Callable[[], Recovered] = lambda: recover(database, queue, objects, settings)
        self._seconds = settings.recovery_seconds
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="recovery", daemon=True)
        self._unavailable: tuple[str, ...] = ()

    def start(self) -> None:
        """The first round begins at once."""
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Returns when the round in progress has ended, or after ``seconds``."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Which stores kept the latest round from being whole; empty when all is well."""
        return self._unavailable

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._report(self._round())
            except Exception:
                _log.exception("a round of recovery failed")
            self._stopping.wait(self._seconds)

    def _report(self, recovered: Recovered) -> None:
        if recovered.expired or recovered.sent or recovered.uploads or recovered.deleted:
            _log.info(
                "recovered",
                expired=len(recovered.expired),
                sent=len(recovered.sent),
                uploads=recovered.uploads,
                deleted=recovered.deleted,
            )
        # Once when it begins and once when it ends, not every few seconds.
        if recovered.unavailable != self._unavailable:
            if recovered.unavailable:
                _log.warning("recovery waits for a store", reasons=list(recovered.unavailable))
            else:
                _log.info("recovery goes on")
            self._unavailable = recovered.unavailable
