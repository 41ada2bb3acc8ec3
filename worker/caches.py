"""What a worker process remembers of volumes: bounded by bytes, and forgotten as a whole when anything is erased."""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

from eigenwarp.model.codes import EncodedVolume
from eigenwarp.volume import Segmentation, Volume

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """The values used last, up to a number of bytes in all; safe to use from several threads.

    Args:
        capacity: bytes. A value that is larger is not kept.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """None where it is not at hand."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value of so many bytes; those used longest ago make room."""
        with self._lock:
            if key in self._entries:
                self._bytes -= self._entries.pop(key)[1]
            if size > self.capacity:
                return
            self._entries[key] = value, size
            self._bytes += size
            while self._bytes > self.capacity:
                _, (_, freed) = self._entries.popitem(last=False)
                self._bytes -= freed

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    @property
    def bytes(self) -> int:
        """Held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)


class Memory:
    """Volumes and codes, half of the bytes each.

    Args:
        capacity: bytes in all.
    """

    def __init__(self, capacity: int) -> None:
        self.images: ByteCache[str, Volume] = ByteCache(capacity // 4)
        self.segmentations: ByteCache[str, Segmentation] = ByteCache(capacity // 4)
        self.codes: ByteCache[str, EncodedVolume] = ByteCache(capacity // 2)

    def clear(self) -> None:
        """Forget everything."""
        self.images.clear()
        self.segmentations.clear()
        self.codes.clear()
