"""A database that is away, held by others, full or killed: told within seconds, and nothing half-done."""

import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.stores.database import AuditEntry, Database
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer, running_postgres
from tests.servers.processes import wait_until
from tests.stores.database.conftest import Open
from tests.stores.database.samples import ATTEMPTS, LEASE, NOON, artefact, running, submit
from tests.stores.database.silent_server import silent_server

# Generous, for a busy machine; without limits of our own it would be minutes, or for ever.
SECONDS = 25


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


CALLS: dict[str, Callable[[Database], object]] = {
    "check": lambda database: database.check(),
    "migrate": lambda database: database.migrate(),
    "submit": submit,
    "claim": lambda database: database.jobs.claim("job_" + "0" * 32, "worker-1", LEASE, ATTEMPTS),
    "page": lambda database: database.jobs.page(),
    "erase": lambda database: database.subjects.erase("S1"),
    "doomed": lambda database: database.doomed.due(),
    "audit": lambda database: database.audit.add(AuditEntry(NOON, "key-1", "read", "S1", "done")),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_not_there_is_told_at_once(opened: Open, call: str) -> None:
    database = opened(f"postgresql://someone:secret@127.0.0.1:{free_port()}/eigenwarp")
    with within(SECONDS), pytest.raises(StoreUnavailableError, match="does not answer") as caught:
        CALLS[call](database)
    assert "secret" not in caught.value.detail


def test_a_server_that_says_nothing_is_told_within_seconds(opened: Open) -> None:
    with silent_server() as port:
        database = opened(f"postgresql://127.0.0.1:{port}/eigenwarp")
        with within(SECONDS), pytest.raises(StoreUnavailableError, match="does not answer"):
            database.check()


def test_a_server_that_comes_back_is_used_again_and_has_all_that_was_committed(tmp_path: Path, opened: Open) -> None:
    with running_postgres(tmp_path) as server:
        database = opened(server.new_database())
        database.migrate()
        jobs = [submit(database).id for _ in range(5)]
        server.kill()
        for call in ("check", "submit", "page"):
            with within(SECONDS), pytest.raises(StoreUnavailableError):
                CALLS[call](database)
        server.start()
        # Connections that the crash has broken are replaced; no call fails for one.
        database.check()
        assert {job.id for job in database.jobs.page()[0]} == set(jobs)
        submit(database)


def test_a_connection_lost_between_two_calls_is_replaced(postgres_server: PostgresServer, opened: Open) -> None:
    url = postgres_server.new_database()
    database = opened(url)
    database.migrate()
    for _ in range(3):
        submit(database)
        _break_connections(postgres_server, url)
    assert database.jobs.count("queued") == 3


def test_a_connection_lost_within_a_call_leaves_nothing_half_done(
    postgres_server: PostgresServer, opened: Open
) -> None:
    url = postgres_server.new_database()
    database = opened(url)
    database.migrate()
    held = running(database)
    with psycopg.connect(url) as other:
        # The call waits for the row; its connection is then cut.
        other.execute("SELECT * FROM jobs FOR UPDATE")
        caught: list[BaseException] = []

        def succeed() -> None:
            try:
                database.jobs.succeed(held.job.id, held.token, [artefact(held)])
            except StoreUnavailableError as error:
                caught.append(error)

        thread = threading.Thread(target=succeed)
        thread.start()
        wait_until(lambda: _waiting(postgres_server, url) == 1, "the call waits for the row")
        _break_connections(postgres_server, url, waiting_only=True)
        thread.join(SECONDS)
    assert len(caught) == 1
    job = database.jobs.get(held.job.id)
    assert (job.state, job.artefacts) == ("running", ())
    database.jobs.succeed(held.job.id, held.token, [artefact(held)])


def _waiting(server: PostgresServer, url: str) -> int:
    with psycopg.connect(server.url("postgres")) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
            [url.rpartition("/")[2]],
        ).fetchone()
    assert found is not None
    return int(found[0])


def _break_connections(server: PostgresServer, url: str, waiting_only: bool = False) -> None:
    condition = "AND wait_event_type = 'Lock'" if waiting_only else ""
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s {condition}".encode(),
            [url.rpartition("/")[2]],
        )


def test_a_server_without_room_is_told_as_such(postgres_server: PostgresServer, opened: Open) -> None:
    url = postgres_server.new_database()
    database = opened(url)
    database.migrate()
    with psycopg.connect(url) as connection:
        # The condition that the server itself raises when a file cannot grow.
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file'; END $$"
        )
        connection.execute("CREATE TRIGGER no_room BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION full_disk()")
    with pytest.raises(StoreUnavailableError, match="no room left"):
        submit(database)


def test_a_row_that_another_transaction_holds_is_told(postgres_server: PostgresServer, opened: Open) -> None:
    url = postgres_server.new_database()
    database = opened(url)
    database.migrate()
    job = submit(database)
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM jobs FOR UPDATE")
        with within(SECONDS), pytest.raises(StoreUnavailableError, match="held by other writers"):
            database.jobs.request_cancel(job.id)
        # Readers are not kept waiting.
        assert database.jobs.get(job.id) == job
    database.jobs.request_cancel(job.id)


def test_a_sqlite_file_that_another_process_holds_is_told(tmp_path: Path, opened: Open) -> None:
    file = tmp_path / "a.sqlite3"
    database = opened(f"sqlite:///{file}")
    database.migrate()
    job = submit(database)
    with sqlite3.connect(file) as other:
        other.execute("BEGIN IMMEDIATE")
        with within(SECONDS), pytest.raises(StoreUnavailableError, match="held by other writers"):
            submit(database)
        # Readers are not kept waiting.
        assert database.jobs.get(job.id) == job
        other.rollback()
    submit(database)


def submitted_until(database: Database, refused: str) -> list[str]:
    """Ids of the jobs that were taken until one was refused."""
    taken: list[str] = []
    for _ in range(2000):
        try:
            taken.append(submit(database, max_queued=10**6).id)
        except StoreUnavailableError as error:
            assert refused in error.detail  # noqa: PT017
            return taken
    raise AssertionError("never refused")


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path, opened: Open) -> None:
    """A limit on the size of this process's files is a full disk that needs no root to make."""
    file = tmp_path / "a.sqlite3"
    database = opened(f"sqlite:///{file}")
    database.migrate()
    kept = [submit(database).id for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
    try:
        kept += submitted_until(database, "the database")
        for job_id in kept:
            database.jobs.get(job_id)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert database.jobs.count("queued") == len(kept)
    submit(database)


def test_a_sqlite_file_at_its_largest_is_told_as_without_room(tmp_path: Path, opened: Open) -> None:
    file = tmp_path / "a.sqlite3"
    database = opened(f"sqlite:///{file}")
    database.migrate()
    with database._transactions.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    kept = submitted_until(database, "no room left")
    assert database.jobs.count("queued") == len(kept)


def test_a_sqlite_file_that_may_not_be_written_is_told(tmp_path: Path, opened: Open) -> None:
    file = tmp_path / "a.sqlite3"
    opened(f"sqlite:///{file}").migrate()
    reading = opened(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert reading.jobs.count("queued") == 0
    with pytest.raises(StoreUnavailableError, match="cannot be written to"):
        submit(reading)


SUBMIT_FOR_EVER = """
import sys
from tests.stores.database.samples import submit
from eigenwarp.stores.database import open_database
database = open_database(sys.argv[1])
while True:
    print(submit(database, max_queued=10**6).id, flush=True)
"""


def test_what_a_killed_process_was_told_is_committed_is_there(url: str, opened: Open) -> None:
    process = subprocess.Popen([sys.executable, "-c", SUBMIT_FOR_EVER, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        told = [process.stdout.readline().strip() for _ in range(30)]
    finally:
        process.kill()
        told += process.stdout.read().split("\n")[:-1]
        process.wait()
    database = opened(url)
    for job_id in told:
        assert database.jobs.get(job_id).state == "queued"
    # At most the one that it was not told of any more.
    assert database.jobs.count("queued") - len(told) in (0, 1)
    submit(database)
