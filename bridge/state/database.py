"""The SQLite file: one writer at a time, every commit on the disk before it is reported."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eigenwarp.errors import StoreUnavailableError

_VERSION: Final = 1
_BUSY_SECONDS: Final = 30.0

# Ids are keyed hashes (bridge.privacy); columns named sealed hold what the vault made of JSON.
_SCHEMA: Final = """
CREATE TABLE series (
    id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    expected INTEGER,
    last_at REAL NOT NULL,
    changed INTEGER NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX series_changed ON series (changed, last_at);
CREATE TABLE instance (
    id TEXT PRIMARY KEY,
    series TEXT NOT NULL REFERENCES series (id),
    bytes INTEGER NOT NULL,
    received_at REAL NOT NULL
);
CREATE INDEX instance_series ON instance (series);
CREATE TABLE job (
    key TEXT PRIMARY KEY,
    series TEXT NOT NULL REFERENCES series (id),
    revision INTEGER NOT NULL,
    images INTEGER NOT NULL,
    state TEXT NOT NULL,
    failed_in TEXT,
    rule TEXT,
    code TEXT,
    sealed BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    cleared INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE INDEX job_due ON job (state, next_at);
CREATE INDEX job_series ON job (series);
CREATE TABLE job_instance (
    job TEXT NOT NULL REFERENCES job (key),
    instance TEXT NOT NULL,
    PRIMARY KEY (job, instance)
) WITHOUT ROWID;
CREATE TABLE result (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL REFERENCES job (key),
    series TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL DEFAULT 0,
    committed_at REAL
);
CREATE INDEX result_job ON result (job);
CREATE INDEX result_series ON result (series);
CREATE TABLE cursor (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""


class Database:
    """A connection that all threads share, one transaction at a time. Other processes may look, and write in turn.

    Args:
        path: of the file; made where it is missing.

    Raises:
        StoreUnavailableError: it cannot be opened, or was written by a later release.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error as error:
            raise StoreUnavailableError(f"{path}: {error}") from None
        self._migrate(path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; on the disk when the block has ended.

        Raises:
            StoreUnavailableError: the disk is full, or another process holds the file for too long.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise StoreUnavailableError(f"the bridge's state: {error}") from None

    def rows(self, statement: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """What a SELECT finds.

        Raises:
            StoreUnavailableError: as ``transaction``.
        """
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.OperationalError as error:
                raise StoreUnavailableError(f"the bridge's state: {error}") from None

    def check(self) -> None:
        """Ask it something that has to be written.

        Raises:
            StoreUnavailableError: it cannot be.
        """
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO cursor (name, value) VALUES ('check', '')")

    def close(self) -> None:
        """Given back."""
        with self._lock:
            self._connection.close()

    def _migrate(self, path: Path) -> None:
        with self.transaction() as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > _VERSION:
                raise StoreUnavailableError(f"{path} has version {found}, this release knows {_VERSION}")
            if found < _VERSION:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
