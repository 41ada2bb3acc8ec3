"""The bridge's folder, opened: by the bridge itself, which holds it alone, and by commands that look."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.config import BridgeConfig
from bridge.privacy import Pseudonyms, Vault, open_secret
from bridge.state.cursors import CursorTable
from bridge.state.database import Database
from bridge.state.jobs import JobTable
from bridge.state.results import ResultTable
from bridge.state.series import SeriesTable
from bridge.state.spool import Spool
from eigenwarp.errors import OptionInvalidError, StoreUnavailableError

_MODE = 0o700


@dataclass(frozen=True, eq=False)
class State:
    """Everything that outlives a restart."""

    folder: Path
    pseudonyms: Pseudonyms
    vault: Vault
    database: Database
    series: SeriesTable
    jobs: JobTable
    results: ResultTable
    cursors: CursorTable
    spool: Spool


@contextmanager
def open_state(config: BridgeConfig, *, alone: bool = False) -> Iterator[State]:
    """The state of the bridge that a file configures.

    Args:
        alone: refuse where another process runs this bridge.

    Raises:
        StoreUnavailableError: the folder cannot be used.
        OptionInvalidError: the privacy key cannot be read, or ``alone`` and it is not.
    """
    with ExitStack() as stack:
        try:
            config.state.mkdir(parents=True, exist_ok=True, mode=_MODE)
        except OSError as error:
            raise StoreUnavailableError(f"state: {config.state}: {error.strerror}") from None
        if alone:
            stack.enter_context(_held(config.state / "lock"))
        secret = open_secret(config.privacy, config.state)
        database = Database(config.state / "bridge.sqlite3")
        stack.callback(database.close)
        yield State(
            folder=config.state,
            pseudonyms=secret.pseudonyms,
            vault=secret.vault,
            database=database,
            series=SeriesTable(database, secret.vault),
            jobs=JobTable(database, secret.vault),
            results=ResultTable(database, secret.vault),
            cursors=CursorTable(database),
            spool=Spool(config.state, secret.vault),
        )


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """The kernel gives the lock back with the process, however it ends."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise OptionInvalidError(f"state: {path.parent} belongs to a bridge that runs") from None
    try:
        yield
    finally:
        os.close(descriptor)
