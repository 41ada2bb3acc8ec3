"""``multipart/form-data`` read as it arrives: files into the spool, fields into memory, both within bounds."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio.to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from eigenwarp.errors import StoreUnavailableError, VolumeTooLargeError
from service.middleware.body_bound import raise_body_bound
from service.refusals import MediaTypeError, RequestInvalidError, RequestTooLargeError

MEDIA_TYPE = "multipart/form-data"
_FIELD_BYTES = 1 << 18
# Of all part headers, boundaries and fields together, besides the files.
_OVERHEAD_BYTES = 1 << 20
_HEADER_BYTES = 1 << 13
_WRITE_BYTES = 1 << 20
_MOST_PARTS = 32
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{1,70}")


@dataclass(frozen=True)
class Form:
    """A form's parts. What a client calls its files is not kept: such names tell of people and of paths.

    Args:
        files: where each lies, by the part's name.
        fields: text, by name.
    """

    files: Mapping[str, Path]
    fields: Mapping[str, str]


def is_multipart(request: Request) -> bool:
    """Whether the body is a form with files."""
    return _media_type(request) == MEDIA_TYPE


async def read_form(
    request: Request, folder: Path, *, files: Collection[str], fields: Collection[str], file_bytes: int
) -> Form:
    """Read the request's body. A name may be both a file's and a field's.

    Args:
        folder: where the files are put, under names of ours.
        files, fields: the names that the call knows.
        file_bytes: limit of each file.

    Raises:
        MediaTypeError: another kind of body.
        RequestInvalidError: parts of an unknown name, or twice the same, or no form at all.
        VolumeTooLargeError: a file beyond the limit, or all of them together beyond theirs.
        StoreUnavailableError: no room left for the files.
    """
    if not is_multipart(request):
        raise MediaTypeError(request.headers.get("content-type"), MEDIA_TYPE)
    raise_body_bound(request, file_bytes * len(files) + _OVERHEAD_BYTES)
    _, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise RequestInvalidError.at("header.content-type", "a boundary of 1 to 70 characters is wanted")
    reader = _Reader(folder, frozenset(files), frozenset(fields), file_bytes)
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
            if reader.waiting_bytes >= _WRITE_BYTES:
                await anyio.to_thread.run_sync(reader.flush)
        await anyio.to_thread.run_sync(reader.flush)
    except FormParserError:
        raise RequestInvalidError.at("body", "the multipart form is damaged") from None
    except RequestTooLargeError:
        raise VolumeTooLargeError(f"the form is longer than {len(files)} file(s) of {file_bytes} bytes") from None
    except ClientDisconnect:
        raise RequestInvalidError.at("body", "the connection ended before the form did") from None
    except OSError as error:
        raise StoreUnavailableError(f"the upload cannot be kept: {error.strerror}") from None
    finally:
        reader.close()
    return reader.form()


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass
class _Part:
    name: str = ""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    path: Path | None = None
    length: int = 0


class _Reader:
    """Takes the parser's calls, which come in order and within ``parser.write``."""

    def __init__(self, folder: Path, files: frozenset[str], fields: frozenset[str], file_bytes: int) -> None:
        self._folder, self._known_files, self._known_fields, self._limit = folder, files, fields, file_bytes
        self._files: dict[str, Path] = {}
        self._fields: dict[str, str] = {}
        self._open: dict[Path, IO[bytes]] = {}
        self._waiting: list[tuple[Path, bytes]] = []
        self.waiting_bytes = 0
        self._part = _Part()
        self._parts, self._header_bytes, self._ended = 0, 0, False

    # Any: the parser's own callback type.
    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._name_part,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def flush(self) -> None:
        """Write what has come."""
        for path, data in self._waiting:
            if path not in self._open:
                self._open[path] = path.open("xb")
            self._open[path].write(data)
        self._waiting.clear()
        self.waiting_bytes = 0

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            file.close()

    def form(self) -> Form:
        """All parts, once the last has ended."""
        if not self._ended:
            raise RequestInvalidError.at("body", "the multipart form is cut short")
        return Form(self._files, self._fields)

    def _begin(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise RequestInvalidError.at("body", f"more than {_MOST_PARTS} parts")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._part.header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._part.value += data[start:end]

    def _count_header(self, count: int) -> None:
        self._header_bytes += count
        if self._header_bytes > _HEADER_BYTES * self._parts:
            raise RequestInvalidError.at("body", f"a part's headers have more than {_HEADER_BYTES} bytes")

    def _header_end(self) -> None:
        if self._part.header.lower() == b"content-disposition":
            self._part.disposition = bytes(self._part.value)
        self._part.header, self._part.value = bytearray(), bytearray()

    def _name_part(self) -> None:
        kind, options = parse_options_header(self._part.disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        is_file = b"filename" in options
        if kind != b"form-data" or name not in (self._known_files if is_file else self._known_fields):
            raise RequestInvalidError.at(
                f"body.{name[:40]}" if name.isidentifier() else "body",
                f"no {'file' if is_file else 'field'} of that name is expected;"
                f" files: {_listed(self._known_files)}; fields: {_listed(self._known_fields)}",
            )
        if name in self._files or name in self._fields:
            raise RequestInvalidError.at(f"body.{name}", "given twice")
        self._part.name = name
        if is_file:
            self._part.path = self._folder / f"{name}.upload"
            self._files[name] = self._part.path
            self._waiting.append((self._part.path, b""))

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        part.length += end - start
        if part.path is None:
            if part.length > _FIELD_BYTES:
                raise RequestInvalidError.at(f"body.{part.name}", f"longer than {_FIELD_BYTES} bytes")
            part.value += data[start:end]
            return
        if part.length > self._limit:
            raise VolumeTooLargeError(f"{part.name}: longer than the limit of {self._limit} bytes")
        self._waiting.append((part.path, data[start:end]))
        self.waiting_bytes += end - start

    def _end(self) -> None:
        if self._part.path is None:
            try:
                self._fields[self._part.name] = self._part.value.decode()
            except UnicodeDecodeError:
                raise RequestInvalidError.at(f"body.{self._part.name}", "not UTF-8") from None

    def _finish(self) -> None:
        self._ended = True


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
