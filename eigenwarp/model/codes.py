"""Encode once: what the network makes of a volume depends on its prepared voxels alone."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from eigenwarp.volume import Volume


@dataclass(frozen=True, eq=False)
class EncodedVolume:
    """One volume's encoding and predicted labels.

    Args:
        code: E_ψ(X) flattened, (D,) float32, on the CPU.
        probabilities: of each label, background left out, (C, X, Y, Z) float32 on the CPU; None without a head.
    """

    code: Tensor
    probabilities: Tensor | None


class Codes(Protocol):
    """Keeps encodings by content."""

    def get(
        self, prepared: npt.NDArray[np.float32], encode: Callable[[], EncodedVolume], source: Volume | None = None
    ) -> EncodedVolume:
        """The encoding of a prepared volume, made with ``encode`` where it is not at hand.

        Args:
            prepared: (X, Y, Z) float32 on the model's grid.
            source: what was prepared, for those who keep account of what comes from where.
        """

    def clear(self) -> None:
        """Forget everything."""


class CodeCache:
    """The last ``capacity`` encodings by content; safe to use from several threads."""

    def __init__(self, capacity: int = 32) -> None:
        self.capacity = capacity
        self._entries: OrderedDict[str, EncodedVolume] = OrderedDict()
        self._lock = Lock()

    def get(
        self, prepared: npt.NDArray[np.float32], encode: Callable[[], EncodedVolume], source: Volume | None = None
    ) -> EncodedVolume:
        key = content_key(prepared)
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        encoded = encode()
        with self._lock:
            self._entries[key] = encoded
            while len(self._entries) > self.capacity:
                self._entries.popitem(last=False)
        return encoded

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


def content_key(prepared: npt.NDArray[np.float32]) -> str:
    """SHA-256 of shape and voxels."""
    digest = hashlib.sha256(repr(prepared.shape).encode())
    digest.update(np.ascontiguousarray(prepared, dtype="<f4").tobytes())
    return digest.hexdigest()
