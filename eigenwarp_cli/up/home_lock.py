"""One supervisor for one data folder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eigenwarp.errors import FileUnreadableError, OptionInvalidError

_SUPERVISOR, _PROCESSES = "up.lock", "processes.lock"
_REMAINS_END_S = 60.0


@contextmanager
def locked_home(home: Path) -> Iterator[int]:
    """The folder, ours alone while this lasts; the kernel gives it back however we end.

    Yields:
        A descriptor to hand to every process that works on the folder. While one of them lives nobody else gets the
        folder, even where we were killed: two Redis servers on one file would ruin it.

    Raises:
        OptionInvalidError: another supervisor has it, or what one left behind does not end.
        FileUnreadableError: the folder cannot be written to.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        ours = os.open(home / _SUPERVISOR, os.O_RDWR | os.O_CREAT, 0o600)
        theirs = os.open(home / _PROCESSES, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FileUnreadableError(f"{home}: cannot be written to: {error.strerror}") from None
    try:
        if not _take(ours):
            holder = os.pread(ours, 20, 0).decode(errors="replace").strip()
            raise OptionInvalidError(
                f"--home {home}: another 'eigenwarp up' (process {holder or 'unknown'}) uses this data folder"
            )
        os.ftruncate(ours, 0)
        os.pwrite(ours, str(os.getpid()).encode(), 0)
        deadline = time.monotonic() + _REMAINS_END_S
        while not _take(theirs):
            if time.monotonic() > deadline:
                raise OptionInvalidError(
                    f"--home {home}: processes of an earlier 'eigenwarp up' still use this data folder"
                )
            time.sleep(0.1)
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
