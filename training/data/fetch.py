"""One file over HTTP, resumed where it stopped and believed only once its checksum is right."""

import hashlib
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from eigenwarp.errors import DataSetError, OptionInvalidError

Progress = Callable[[int, int | None], None]
"""Called with the bytes on disk so far and the file's whole size, None where the server does not say."""

_BLOCK = 1 << 16


def fetch(
    url: str, target: Path, *, md5: str, size_limit: int, progress: Progress | None = None, timeout_s: float = 60.0
) -> None:
    """Bring a file, by way of ``<target>.part``, which an interrupted call leaves for the next one to go on from.

    Args:
        url: http or https.
        target: where the file goes; it appears whole or not at all.
        md5: hexadecimal checksum of the whole file.
        size_limit: bytes past which the answer is refused.
        progress: told of every block.
        timeout_s: longest silence of the server.

    Raises:
        OptionInvalidError: another scheme than http or https.
        DataSetError: the server refuses, is silent or hangs up early (what came is kept), sends more than the limit, or
            something whose checksum is another (what came is dropped).
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise OptionInvalidError(f"the address must start with http:// or https://, got {url!r}")
    part = target.with_name(target.name + ".part")
    _receive(url, part, size_limit, progress or (lambda done, total: None), timeout_s)
    found = _md5(part)
    if found != md5:
        part.unlink()
        raise DataSetError(f"{url} has the MD5 checksum {found}, expected {md5}; what came is dropped")
    part.replace(target)


def _receive(url: str, part: Path, size_limit: int, progress: Progress, timeout_s: float) -> None:
    start = part.stat().st_size if part.exists() else 0
    request = Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    done = start
    try:
        with urlopen(request, timeout=timeout_s) as response:
            done, total = _span(response, start)
            if total is not None and total > size_limit:
                raise DataSetError(f"{url} has {total} bytes, more than the limit of {size_limit}")
            with part.open("r+b" if done else "wb") as file:
                file.seek(done)
                progress(done, total)
                while block := response.read(_BLOCK):
                    done += len(block)
                    if done > size_limit:
                        part.unlink()
                        raise DataSetError(f"{url} sends more than the limit of {size_limit} bytes")
                    file.write(block)
                    progress(done, total)
    except HTTPError as error:
        # The part is the whole file already, or longer than it: its checksum tells which.
        if error.code == 416 and start:
            return
        raise DataSetError(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise DataSetError(
            f"{url} cannot be fetched: {error or type(error).__name__}; {done} bytes are kept"
        ) from error
    if total is not None and done < total:
        raise DataSetError(
            f"{url} ended after {done} of {total} bytes; they are kept, and the next try goes on from there"
        )


def _span(response: HTTPResponse, asked_start: int) -> tuple[int, int | None]:
    """Where the answer's bytes start in the file, and the file's size."""
    if response.status != 206:
        # A server without ranges sends the whole file again.
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    first, _, rest = span.partition("-")
    total = rest.partition("/")[2]
    if unit != "bytes" or first != str(asked_start):
        raise DataSetError(f"bytes from {asked_start} were asked for, the server answers {unit} {span}")
    return asked_start, int(total) if total.isdecimal() else None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
