"""What every object store offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """One object.

    Args:
        key: slash-separated, relative, each part of ``[A-Za-z0-9._@=:+-]``, never ``.`` or ``..``.
        bytes: its length.
        modified: when it was written.
    """

    key: str
    bytes: int
    modified: datetime


class ObjectStore(Protocol):
    """Bytes under keys. An object appears whole or not at all; writing to a key again replaces it.

    Every call raises ``StoreUnavailableError`` where the store does not answer, refuses us or is full, and
    ``OptionInvalidError`` for a key that is none.
    """

    def put(self, key: str, content: bytes | Path, content_type: str = "application/octet-stream") -> ObjectInfo:
        """Write bytes, or a file's."""

    def get(self, key: str) -> bytes:
        """All bytes.

        Raises:
            ObjectUnknownError: nothing under the key.
        """

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """A part in blocks; the object is looked up before the first block is asked for.

        Raises:
            ObjectUnknownError: nothing under the key.
        """

    def fetch(self, key: str, path: Path, limit: int | None = None) -> int:
        """Into a file; its length.

        Raises:
            ObjectUnknownError: nothing under the key.
            VolumeTooLargeError: longer than ``limit``; the file is removed.
        """

    def stat(self, key: str) -> ObjectInfo | None:
        """None where there is nothing."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose keys begin with ``prefix``."""

    def delete(self, key: str) -> None:
        """Nothing happens where there is nothing."""

    def delete_prefix(self, prefix: str) -> int:
        """Remove all under a prefix, which must end in ``/``; how many."""

    def presigned_get(self, key: str, expires: timedelta, filename: str, content_type: str) -> str | None:
        """A URL that clients can download from; None where the store has none to give."""

    def presigned_put(self, key: str, expires: timedelta) -> str | None:
        """A URL that clients can PUT to; None where the store has none to give."""

    def check(self) -> None:
        """Answers when the store can be written to."""

    def close(self) -> None:
        """Connections are given back."""
