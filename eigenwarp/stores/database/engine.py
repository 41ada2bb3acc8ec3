"""Connections to SQLite and PostgreSQL, set so that nothing committed is lost and nothing hangs."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError

CONNECT_SECONDS = 5
LOCK_SECONDS = 10
STATEMENT_SECONDS = 30
POOL_WAIT_SECONDS = 10

WRITING = "eigenwarp_writing"
"""Execution option of a connection whose transaction will write."""


def parse_url(url: str) -> URL:
    """A database's URL, checked.

    Raises:
        OptionInvalidError: not a URL, another database, or a SQLite without a file, which no two processes could share.
            The URL itself is not told: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise OptionInvalidError("the database's URL cannot be read") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise OptionInvalidError(f"a database of kind {parsed.drivername!r}; sqlite:///… or postgresql://… is wanted")
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise OptionInvalidError("a SQLite database in memory cannot be shared by processes; name a file")
    return parsed


def make_engine(url: URL) -> Engine:
    """Connects to nothing yet; makes a SQLite file, empty, and its folder.

    Raises:
        StoreUnavailableError: the file cannot be made.
    """
    return _sqlite(url) if url.drivername == "sqlite" else _postgresql(url)


def _sqlite(url: URL) -> Engine:
    file = Path(str(url.database))
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite would make it readable for all; the files beside it take after it.
        file.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailableError(f"the database's file cannot be made or written to: {error.strerror}") from error
    # The web server's threads each hold a connection while they read; SQLite itself lets one write at a time.
    engine = create_engine(url, hide_parameters=True, pool_size=8, max_overflow=56, pool_timeout=POOL_WAIT_SECONDS)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Python's driver would begin transactions where it sees fit; we begin them ourselves, below.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        # With WAL, NORMAL would lose the latest commits when the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten: an erasure is to leave nothing in the file.
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for another writer: it would fail at once.
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    session = {
        "timezone": "UTC",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            # A server that vanished without a word would otherwise be waited for until the kernel gives up.
            "tcp_user_timeout": LOCK_SECONDS * 1000,
            "keepalives_idle": 30,
            "application_name": "eigenwarp",
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        },
    )
