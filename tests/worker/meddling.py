"""Stores through which a test meddles with a job at a chosen moment, or that are away."""

from collections.abc import Callable
from pathlib import Path

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.schemas.jobs import JobEvent
from eigenwarp.stores.events import EventStream
from eigenwarp.stores.objects import FolderStore, ObjectInfo


class MeddlingEvents(EventStream):
    """Does something, once, when a job tells of a stage.

    Args:
        stage: that is waited for.
        do: is given the job's id.
    """

    def __init__(self, redis_url: str, stage: str, do: Callable[[str], object]) -> None:
        super().__init__(redis_url)
        self._stage: str | None = stage
        self._do = do

    def publish(self, event: JobEvent) -> None:
        super().publish(event)
        if event.progress is not None and event.progress.stage == self._stage:
            self._stage = None
            self._do(event.job)


class MeddlingStore(FolderStore):
    """Does something, once, before a job's file is put."""

    do: Callable[[], object] | None = None

    def put(self, key: str, content: bytes | Path, content_type: str = "application/octet-stream") -> ObjectInfo:
        if key.startswith("jobs/") and self.do is not None:
            do, self.do = self.do, None
            do()
        return super().put(key, content, content_type)


class AwayStore(FolderStore):
    """Does not answer for a number of calls under a prefix.

    Args:
        away: how many calls; each counts down.
        prefix: of the keys.
    """

    away: int = 0
    prefix: str = ""

    def put(self, key: str, content: bytes | Path, content_type: str = "application/octet-stream") -> ObjectInfo:
        self._answer(key)
        return super().put(key, content, content_type)

    def get(self, key: str) -> bytes:
        self._answer(key)
        return super().get(key)

    def fetch(self, key: str, path: Path, limit: int | None = None) -> int:
        self._answer(key)
        return super().fetch(key, path, limit)

    def _answer(self, key: str) -> None:
        if self.away and key.startswith(self.prefix):
            self.away -= 1
            raise StoreUnavailableError("the object store is away")
