"""What SQLite alone needs: how its files are kept."""

import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.stores.database.engine import WRITING, make_engine, parse_url
from tests.stores.database.conftest import Open
from tests.stores.database.samples import NOON, after, submit
from tests.stores.database.test_subjects import fill


def test_every_connection_is_durable_checks_keys_and_waits(tmp_path: Path) -> None:
    engine = make_engine(parse_url(f"sqlite:///{tmp_path / 'a.sqlite3'}"))
    full, seconds = 2, 10_000
    wanted = {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "busy_timeout": seconds}
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted
    engine.dispose()


def test_a_writer_takes_the_lock_when_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite3"
    engine = make_engine(parse_url(f"sqlite:///{file}"))
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    with engine.connect() as reader, reader.begin():
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    with (
        engine.connect().execution_options(**{WRITING: True}) as writer,
        writer.begin(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    engine.dispose()


def test_the_files_are_their_owner_s_alone(tmp_path: Path, opened: Open) -> None:
    file = tmp_path / "new" / "folder" / "a.sqlite3"
    database = opened(f"sqlite:///{file}")
    database.migrate()
    submit(database)
    files = sorted(file.parent.iterdir())
    assert {one.name for one in files} == {"a.sqlite3", "a.sqlite3-shm", "a.sqlite3-wal"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_an_erasure_leaves_no_byte_of_the_subject_in_the_files(tmp_path: Path, opened: Open) -> None:
    database = opened(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    database.migrate()
    fill(database, "subject-A", 0xA1, 0xA2)
    words = [b"subject-A", f"{0xA1:064x}".encode(), f"{0xA2:064x}".encode()]

    def found() -> set[bytes]:
        bytes_ = b"".join(one.read_bytes() for one in tmp_path.iterdir())
        return {word for word in words if word in bytes_}

    assert found() == set(words)
    erased = database.subjects.erase("subject-A", now=NOON)
    assert words[0] not in found()
    # The keys of the objects name the contents, until they are deleted and the next log is emptied.
    database.doomed.forget(erased.doomed)
    database.doomed.forget(database.doomed.due(now=after(10 * 365 * 86400)))
    database.close()
    assert found() == set()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "", "nonsense", "sqlite+x:///a"]
)
def test_a_url_of_no_database_is_refused_without_telling_it(opened: Open, url: str) -> None:
    with pytest.raises(OptionInvalidError) as caught:
        opened(url)
    assert "secret" not in caught.value.detail


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="cannot be made"):
        opened(f"sqlite:///{tmp_path / 'file' / 'a.sqlite3'}")


def test_a_file_that_is_no_database_is_told(tmp_path: Path, opened: Open) -> None:
    file = tmp_path / "a.sqlite3"
    file.write_bytes(b"not a database, but long enough to have a header" * 100)
    database = opened(f"sqlite:///{file}")
    for call in (database.check, database.migrate, database.jobs.counts):
        with pytest.raises(StoreUnavailableError, match="damaged, or not a database"):
            call()
