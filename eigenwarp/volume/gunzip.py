"""Gunzip that stops at a limit, so that a small file cannot fill the memory."""

import zlib
from collections.abc import Iterator
from typing import Final

from eigenwarp.errors import VolumeNotNiftiError, VolumeTooLargeError

GZIP_MAGIC: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 14
_GZIP_WINDOW: Final = 31
# Block-compressed files hold one member per 64 KiB; only a hostile one holds more than these.
_MAX_MEMBERS: Final = 1 << 16


class Gunzip:
    """A gzip stream read forwards, in pieces that the caller limits.

    Args:
        compressed: the whole file; several members in a row are read as one stream.
        max_ratio: refuse output larger than this multiple of the input …
        ratio_floor: … once it is larger than this many bytes.
    """

    def __init__(self, compressed: bytes | memoryview, *, max_ratio: int, ratio_floor: int) -> None:
        self._limit = max(ratio_floor, max_ratio * len(compressed))
        self._size = len(compressed)
        self._compressed = memoryview(compressed)
        self._output = self._pieces(self._compressed)
        self._buffer = bytearray()
        self._produced = 0

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end.

        Raises:
            VolumeNotNiftiError: the stream is damaged or cut short.
            VolumeTooLargeError: it grows beyond the ratio.
        """
        while len(self._buffer) < count:
            piece = next(self._output, None)
            if piece is None:
                break
            self._produced += len(piece)
            if self._produced > self._limit:
                raise VolumeTooLargeError(
                    f"{self._size} compressed bytes unpack to more than {self._limit}, which no image does"
                )
            self._buffer += piece
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return taken

    def require_end(self, slack: int) -> None:
        """Read on to the end, so that the checksum is verified, over at most ``slack`` further bytes."""
        if len(self.read(slack + 1)) > slack:
            raise VolumeNotNiftiError(f"more than {slack} bytes follow the voxels")

    def close(self) -> None:
        """Let go of the compressed bytes, which may be a mapped file's."""
        self._compressed.release()

    @staticmethod
    def _pieces(compressed: memoryview) -> Iterator[bytes]:
        position = 0
        for _ in range(_MAX_MEMBERS):
            member = zlib.decompressobj(_GZIP_WINDOW)
            while not member.eof:
                chunk = member.unconsumed_tail
                if not chunk:
                    chunk = bytes(compressed[position : position + _CHUNK])
                    position += len(chunk)
                try:
                    piece = member.decompress(chunk, 16 * _CHUNK)
                except zlib.error as error:
                    raise VolumeNotNiftiError(f"damaged gzip data: {error}") from None
                if not (chunk or piece or member.eof):
                    raise VolumeNotNiftiError("the gzip data are cut short")
                yield piece
            position -= len(member.unused_data)
            # What follows without being a member is padding, as gzip(1) treats it.
            if bytes(compressed[position : position + 2]) != GZIP_MAGIC:
                return
        raise VolumeTooLargeError(f"more than {_MAX_MEMBERS} gzip members")
