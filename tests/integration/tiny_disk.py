"""A file system of a few megabytes that can be filled up: a tmpfs in a mount namespace of its own.

No privilege is needed where the kernel lets users make namespaces, and the mount is gone with the last process in it.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.processes import Running, wait_until

_FILLER = "filler"
_BLOCK = bytes(64 * 1024)


class TinyDisks:
    """Small file systems, seen only by the processes that run ``within``.

    Args:
        holder: a process in the namespace.
    """

    def __init__(self, holder: Running) -> None:
        self._holder = holder

    @property
    def within(self) -> tuple[str, ...]:
        """A command that runs another one where the file systems are mounted."""
        return ("nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--preserve-credentials")

    def seen(self, path: Path) -> Path:
        """A path of theirs, as this process gets at it."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def fill(self, mount: Path) -> None:
        """Leave not a byte."""
        with (self.seen(mount) / _FILLER).open("wb", buffering=0) as file:
            for block in (_BLOCK, b"\0"):
                try:
                    while file.write(block):
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self, mount: Path) -> None:
        """Take away what ``fill`` has put there."""
        (self.seen(mount) / _FILLER).unlink()


@contextmanager
def tiny_disks(log: Path, megabytes: Mapping[Path, int]) -> Iterator[TinyDisks]:
    """File systems by the folders that they are mounted on, outer ones first. Skips where none can be made."""
    mounts = " && ".join(
        f"mkdir -p '{path}' && mount -t tmpfs -o size={size}m tmpfs '{path}'" for path, size in megabytes.items()
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    try:
        holder = Running([*command, f"{mounts} && echo mounted && exec sleep 3600"], log)
    except FileNotFoundError:
        pytest.skip("unshare is not installed: no small file system can be made")
    try:
        wait_until(
            lambda: "mounted" in holder.output() or holder.process.poll() is not None, "file systems are mounted"
        )
        if holder.process.poll() is not None:
            pytest.skip(f"no small file system can be made here: {holder.output().strip()}")
        yield TinyDisks(holder)
    finally:
        holder.kill()
