"""What was erased must not live on in a worker's memory."""

from threading import Event, Lock, Thread

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.log import get_logger
from eigenwarp.stores.database import Database
from worker.caches import Memory

_log = get_logger(__name__)


class ErasureWatch:
    """Empties the memory after every erasure, while the worker works and while it is idle.

    While the database is away nothing is emptied, and nothing can be erased.

    Args:
        seconds: between two looks.
    """

    def __init__(self, database: Database, memory: Memory, seconds: float) -> None:
        self._subjects = database.subjects
        self._memory = memory
        self._seconds = seconds
        self._epoch: int | None = None
        self._stop = Event()
        self._lock = Lock()
        self._thread = Thread(target=self._watch, name="erasure-watch", daemon=True)

    @property
    def epoch(self) -> int | None:
        """The erasures that the memory is known to be free of."""
        return self._epoch

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def stop(self) -> None:
        """No more; returns when the last look has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Empty the memory if anything was erased since the last look."""
        try:
            with self._lock:
                epoch = self._subjects.erasure_epoch()
                if epoch != self._epoch:
                    self._memory.clear()
                    self._epoch = epoch
        except StoreUnavailableError:
            return

    def _watch(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self.look()
            except Exception:
                # A watch that ends without a word is the one thing that must not happen.
                _log.exception("looking for erasures failed")
