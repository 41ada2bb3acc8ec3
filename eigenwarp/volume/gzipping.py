"""Files are gzipped by ISA-L: a sixteenth of zlib's time for the same size on voxels (docs/decisions/0009)."""

from typing import Final

from isal import igzip

# Voxels and field components look like noise to deflate: ISA-L's higher levels take longer for nothing.
_LEVEL: Final = 1


def gzipped(content: bytes) -> bytes:
    """A gzip file that any reader takes; the same content gives the same bytes on the same kind of processor."""
    packed: bytes = igzip.compress(content, _LEVEL, mtime=0)
    return packed
