"""Where uploads are written while they arrive. A process has a folder of its own there, and takes it along when it ends."""

import fcntl
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eigenwarp.errors import StoreUnavailableError

_LOCK = "lock"


@contextmanager
def open_spool(folder: Path) -> Iterator[Path]:
    """This process's own folder. Those of processes that were killed are removed; they are told by their lock.

    Raises:
        StoreUnavailableError: the folder cannot be made.
    """
    own = folder / uuid.uuid4().hex
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(folder)
        own.mkdir(mode=0o700)
        lock = (own / _LOCK).open("w")
    except OSError as error:
        raise StoreUnavailableError(f"{folder}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        lock.close()


@contextmanager
def spool_folder(spool: Path) -> Iterator[Path]:
    """A folder for the files of one request, gone with everything in it afterwards.

    Raises:
        StoreUnavailableError: no room.
    """
    own = spool / uuid.uuid4().hex
    try:
        own.mkdir(mode=0o700)
    except OSError as error:
        raise StoreUnavailableError(f"the spool cannot be written to: {error.strerror}") from None
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _sweep(folder: Path) -> None:
    for other in folder.iterdir():
        try:
            with (other / _LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(other, ignore_errors=True)
        except BlockingIOError:
            continue
        except OSError:
            # Between its making and its lock another process's folder looks like this for a moment: only an old one goes.
            continue
