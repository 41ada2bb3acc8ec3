"""Bytes in blocks, into a file."""

from collections.abc import Iterable
from pathlib import Path

from eigenwarp.errors import StoreUnavailableError, VolumeTooLargeError

BLOCK_BYTES = 1 << 18


def write_blocks(blocks: Iterable[bytes], path: Path, limit: int | None) -> int:
    """Blocks into a file, which is removed again unless all of them arrived.

    Args:
        blocks: the content.
        path: replaced where it exists.
        limit: bytes; no more than those and one block are asked for.

    Returns:
        How many bytes.

    Raises:
        VolumeTooLargeError: more than ``limit``.
        StoreUnavailableError: the file cannot be written, the disk being full for instance.
    """
    length = 0
    try:
        with path.open("wb") as file:
            for block in blocks:
                length += len(block)
                if limit is not None and length > limit:
                    raise VolumeTooLargeError(f"more than {limit} bytes")
                file.write(block)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StoreUnavailableError(f"no room to fetch an object into: {error.strerror or error}") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return length
