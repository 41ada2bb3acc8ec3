"""Objects as files: the store of one machine."""

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from eigenwarp.errors import ObjectUnknownError, OptionInvalidError, StoreUnavailableError
from eigenwarp.stores.objects.blocks import BLOCK_BYTES, write_blocks
from eigenwarp.stores.objects.keys import check_folder, check_key, check_prefix, check_range
from eigenwarp.stores.objects.object_store import ObjectInfo

_ABANDONED_SECONDS = 24 * 3600.0
_TRIES = 20


class FolderStore:
    """An ``ObjectStore`` in a folder: a key is the path of a file.

    What is being written lies beside the objects, under a name that is no key's, reaches the disk, and is then
    renamed: a crash leaves the old object or the new one, never a part. As in a file system, and unlike S3, an object
    cannot lie below another one (``a`` and ``a/b``).

    Args:
        folder: made where it is missing; on one file system.
    """

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._partial = folder / "partial"
        with _answering():
            self._objects.mkdir(parents=True, exist_ok=True)
            self._partial.mkdir(exist_ok=True)
            self._sweep()

    def put(self, key: str, content: bytes | Path, content_type: str = "application/octet-stream") -> ObjectInfo:
        check_key(key)
        with _answering(), self._written(content) as partial:
            written = partial.stat()
            self._move(partial, self._objects / key)
        return ObjectInfo(key, written.st_size, _time(written))

    def get(self, key: str) -> bytes:
        return b"".join(self.stream(key))

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_key(key)
        check_range(start, length)
        blocks = self._blocks(key, start, length)
        next(blocks)
        return blocks

    def fetch(self, key: str, path: Path, limit: int | None = None) -> int:
        return write_blocks(self.stream(key), path, limit)

    def stat(self, key: str) -> ObjectInfo | None:
        check_key(key)
        with _answering():
            try:
                found = (self._objects / key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return ObjectInfo(key, found.st_size, _time(found)) if not _is_folder(found) else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        folder, _, _ = prefix.rpartition("/")
        with _answering():
            for path in _files(self._objects / folder):
                key = path.relative_to(self._objects).as_posix()
                if key.startswith(prefix) and (found := self.stat(key)) is not None:
                    yield found

    def delete(self, key: str) -> None:
        check_key(key)
        path = self._objects / key
        with _answering():
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
                if path.is_file():
                    raise
                return
            _keep(path.parent)
            self._prune(path.parent)

    def delete_prefix(self, prefix: str) -> int:
        check_folder(prefix)
        keys = [found.key for found in self.list(prefix)]
        for key in keys:
            self.delete(key)
        return len(keys)

    def presigned_get(self, key: str, expires: timedelta, filename: str, content_type: str) -> str | None:
        check_key(key)
        return None

    def presigned_put(self, key: str, expires: timedelta) -> str | None:
        check_key(key)
        return None

    def check(self) -> None:
        with _answering(), self._written(b"writable"):
            pass

    def close(self) -> None:
        """Nothing is held open."""

    @contextmanager
    def _written(self, content: bytes | Path) -> Iterator[Path]:
        """A file on the disk with the content; gone afterwards where it was not moved away."""
        descriptor, name = tempfile.mkstemp(dir=self._partial)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for block in _read(content):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            yield Path(name)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)

    def _move(self, partial: Path, path: Path) -> None:
        for remaining in reversed(range(_TRIES)):
            try:
                self._make_folder(path.parent)
                os.replace(partial, path)
            except FileNotFoundError:
                # A deletion has just removed the folder, as it held nothing else.
                if not remaining:
                    raise
            except (NotADirectoryError, FileExistsError, IsADirectoryError):
                key = path.relative_to(self._objects).as_posix()
                raise OptionInvalidError(f"object key {key!r} lies above or below that of another object") from None
            else:
                _keep(path.parent)
                return

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _keep(folder.parent)

    def _prune(self, folder: Path) -> None:
        while folder != self._objects:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _blocks(self, key: str, start: int, length: int | None) -> Iterator[bytes]:
        """First an empty block, once the object is open; then the part's."""
        with _answering():
            try:
                file = (self._objects / key).open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise ObjectUnknownError(f"no object {key!r}") from None
            with file:
                yield b""
                file.seek(start)
                yield from _bounded(file, length)

    def _sweep(self) -> None:
        """What a crash left half-written, a day ago or more."""
        for path in self._partial.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(f"the object folder cannot be used: {error.strerror or error}") from error


def _read(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from _bounded(file, None)


def _bounded(file: IO[bytes], length: int | None) -> Iterator[bytes]:
    remaining = length
    while remaining is None or remaining > 0:
        block = file.read(BLOCK_BYTES if remaining is None else min(BLOCK_BYTES, remaining))
        if not block:
            return
        if remaining is not None:
            remaining -= len(block)
        yield block


def _files(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield Path(entry.path)


def _keep(folder: Path) -> None:
    """The folder's entries reach the disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _time(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


def _is_folder(found: os.stat_result) -> bool:
    return stat.S_ISDIR(found.st_mode)
