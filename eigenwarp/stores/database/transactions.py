"""Transactions, and what goes wrong with them in our own words."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.stores.database.engine import LOCK_SECONDS, WRITING

# PostgreSQL's advisory lock under which jobs are submitted and things erased; any number that nobody else takes.
_EXCLUSIVE_LOCK = 0x45494757
_DISK_FULL, _LOCK_TIMEOUT, _UNDEFINED = "53100", "55P03", ("42P01", "42703")


class Transactions:
    """Begins transactions on one database; safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite's waiting writers try again at random; in line, none of our threads starves.
        self._turn = threading.Lock() if self._is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with _in_our_words(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, exclusive: bool = False) -> Iterator[Connection]:
        """A transaction that is committed at the end, whole, or not at all.

        Args:
            exclusive: one at a time among those that ask for it. What counts rows, or looks for one that is not there,
                needs it: a row that is not there cannot be locked. With SQLite every writer is alone anyhow.

        Raises:
            StoreUnavailableError: the database does not answer, is held by others, or has no room left; nothing is
                written.
        """
        with _in_our_words(), self._in_turn(), self.engine.connect() as plain:
            connection = plain.execution_options(**{WRITING: True})
            with connection.begin():
                if exclusive and not self._is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _EXCLUSIVE_LOCK})
                yield connection

    def empty_log(self) -> None:
        """After an erasure: have SQLite's log of former pages emptied. Where others read just now, a later one does it.

        PostgreSQL overwrites what was deleted when it vacuums, and recycles its log by itself.
        """
        if not self._is_sqlite:
            return
        with _in_our_words():
            connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout = 1000")
            with suppress(sqlite3.OperationalError):
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            cursor.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
        finally:
            connection.close()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=LOCK_SECONDS):
            raise StoreUnavailableError(f"the database was held by other writers for {LOCK_SECONDS} s")
        try:
            yield
        finally:
            self._turn.release()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreUnavailableError("all connections to the database are in use") from error
    except (OperationalError, InterfaceError, InternalError, ProgrammingError) as error:
        if _is_defect(error):
            raise
        raise StoreUnavailableError(_reason(error)) from error
    except DatabaseError as error:
        # Plain, as none of its kinds: SQLite's word for a file that is damaged or none of its own.
        if type(error) is not DatabaseError:
            raise
        raise StoreUnavailableError("the database's file is damaged, or not a database") from error


def _is_defect(error: DBAPIError) -> bool:
    """Whether the statement is at fault; one that misses a table or a column is not, for the schema may be older."""
    if _misses_something(error):
        return False
    # SQLite calls everything operational; its plain code 1 is for statements that it cannot make sense of.
    return isinstance(error, ProgrammingError) or getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _misses_something(error: DBAPIError) -> bool:
    told = str(error.orig)
    return getattr(error.orig, "sqlstate", None) in _UNDEFINED or told.startswith(("no such table", "no such column"))


def _reason(error: DBAPIError) -> str:
    told = str(error.orig).lower()
    state = getattr(error.orig, "sqlstate", None)
    if state == _DISK_FULL or "disk is full" in told:
        return "the database has no room left"
    if state == _LOCK_TIMEOUT or "database is locked" in told:
        return f"the database was held by other writers for {LOCK_SECONDS} s"
    if _misses_something(error):
        return "the database's schema is not this release's: run `eigenwarp migrate`"
    if "readonly" in told or "read-only" in told:
        return "the database cannot be written to"
    return "the database does not answer"
