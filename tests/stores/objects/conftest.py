"""Both object stores, empty."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from eigenwarp.stores.objects import FolderStore, ObjectStore, S3Store
from tests.servers.s3 import S3Server

MakeS3 = Callable[..., S3Store]


@pytest.fixture
def make_s3(s3_server: S3Server) -> Iterator[MakeS3]:
    """Makes stores with the server's keys; arguments replace them."""
    made: list[S3Store] = []

    def make(bucket: str = "contract", **arguments: object) -> S3Store:
        given = {
            "endpoint": s3_server.endpoint,
            "access_key": s3_server.access_key,
            "secret_key": s3_server.secret_key,
            "secure": False,
            "public_endpoint": s3_server.url,
            **arguments,
        }
        made.append(S3Store(bucket=bucket, **given))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def s3(make_s3: MakeS3) -> Iterator[S3Store]:
    """An empty bucket."""
    store = make_s3()
    yield store
    for found in list(store.list("")):
        store.delete(found.key)


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """An empty folder."""
    return FolderStore(tmp_path / "store")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """Each of the stores."""
    found: ObjectStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def little_room() -> Callable[[int], AbstractContextManager[None]]:
    """Within it no file of this process grows beyond so many bytes: a full disk that needs no root to make."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
