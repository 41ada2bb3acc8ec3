"""Where uploads are written while they arrive: a folder for each process, gone with everything in it when that ends."""

import fcntl
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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
        with (folder / _LOCK).open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            _sweep(folder)
            own.mkdir(mode=0o700)
            lock = _locked(own)
    except OSError as error:
        raise StoreUnavailableError(f"{folder}: {error.strerror}") from None
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        lock.close()


@contextmanager
def request_folder(spool: Path) -> Iterator[Path]:
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
    for left in (path for path in folder.iterdir() if path.is_dir()):
        try:
            _locked(left).close()
        except BlockingIOError:
            continue
        shutil.rmtree(left, ignore_errors=True)


def _locked(folder: Path) -> IO[str]:
    lock = (folder / _LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock
