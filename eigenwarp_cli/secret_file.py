"""A file for a secret: new, for its owner's eyes, and gone again where there is nothing to put in."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eigenwarp.errors import FileUnreadableError


@contextmanager
def secret_file(path: Path) -> Iterator[Callable[[str], None]]:
    """Mode 0600 from its first moment. What the block raises removes it.

    Raises:
        FileUnreadableError: there is such a file already, or it cannot be written.
    """

    def write(text: str) -> None:
        with os.fdopen(os.dup(descriptor), "w") as file:
            file.write(f"{text}\n")

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise FileUnreadableError(f"{path}: cannot be made: {error.strerror}") from None
    try:
        yield write
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
