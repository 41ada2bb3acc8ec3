"""A queue on a real Redis, a database, and a folder of objects."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eigenwarp.queue import JobQueue
from eigenwarp.schemas.requests import NothingRequest
from eigenwarp.settings import Settings, load_settings
from eigenwarp.stores.database import Database, open_database
from eigenwarp.stores.objects import FolderStore
from tests.servers.redis import RedisServer

Submit = Callable[[], str]


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer) -> Settings:
    return load_settings({}, home=tmp_path, redis_url=redis_server.url, max_attempts=2)


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    found = JobQueue(settings)
    yield found
    found.close()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    found = open_database(settings.database)
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def objects(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


@pytest.fixture
def submit(database: Database) -> Submit:
    """Accepts a job, and sends nothing."""

    def submitted() -> str:
        job, _ = database.jobs.submit(
            NothingRequest(),
            model=None,
            caller="tests",
            volumes=(),
            subject=None,
            idempotency_key=None,
            request_hash=None,
            max_queued=1000,
        )
        return job.id

    return submitted
