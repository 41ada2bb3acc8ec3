"""What an archive brings to the listener because of a C-MOVE of ours, kept apart from what others send there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Retrievals:
    """Shared by the archive, which asks, and the listener, to which the answer comes; one goes on at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._series_uid: str | None = None
        self._sender: str | None = None
        self._arrived: dict[str, bytes] = {}

    @contextmanager
    def awaiting(self, series_uid: str, sender: str) -> Iterator[dict[str, bytes]]:
        """For the time of a block, take the series' instances.

        Args:
            sender: AE title of the archive.

        Yields:
            SOP instance UID → Part 10 file, which fills. An archive that sends one twice changes nothing.
        """
        with self._turn:
            arrived: dict[str, bytes] = {}
            with self._lock:
                self._series_uid, self._sender, self._arrived = series_uid, sender, arrived
            try:
                yield arrived
            finally:
                with self._lock:
                    self._series_uid, self._sender, self._arrived = None, None, {}

    def awaits_from(self, title: str) -> bool:
        """Whether something is awaited from an AE title."""
        with self._lock:
            return title == self._sender

    def take(self, series_uid: str, sop_instance_uid: str, content: bytes) -> bool:
        """Whether it was awaited, and is taken."""
        with self._lock:
            if series_uid != self._series_uid:
                return False
            self._arrived[sop_instance_uid] = content
            return True
