"""Both databases, each test on one of its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eigenwarp.stores.database import Database, open_database
from tests.servers.postgres import PostgresServer

Open = Callable[[str], Database]

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with this release's schema, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "template.sqlite3"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> str:
    """The name of a database with this release's schema, to be copied."""
    url = postgres_server.new_database()
    _migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with this release's schema and nothing in it."""
    if request.param == "sqlite":
        file = tmp_path / "database.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        return f"sqlite:///{file}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database(request.getfixturevalue("migrated_postgres"))


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens databases as further processes would, and closes them after the test."""
    made: list[Database] = []

    def open_one(url: str) -> Database:
        made.append(open_database(url))
        return made[-1]

    yield open_one
    for database in made:
        database.close()


@pytest.fixture
def database(url: str, opened: Open) -> Database:
    """With this release's schema and nothing in it."""
    return opened(url)


def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        database.migrate()
    finally:
        database.close()
