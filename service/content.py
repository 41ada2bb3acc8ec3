"""Bytes from the object store as an answer: conditional, in parts, or by a redirect to the store itself."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import anyio.to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.etags import is_held
from service.ranges import requested_range
from service.refusals import PreconditionFailedError
from service.resources import Resources


@dataclass(frozen=True)
class Content:
    """Something that can be downloaded.

    Args:
        key: in the object store.
        bytes: its length.
        etag: strong, without its quotes.
        filename: what it is to be kept as, of letters, digits and ``._-`` alone.
        cache_control: where it may be kept longer than until the next question.
        presigned: whether a caller may be sent to the store itself.
    """

    key: str
    bytes: int
    media_type: str
    etag: str
    filename: str
    cache_control: str | None = None
    presigned: bool = True


async def content_response(request: Request, resources: Resources, content: Content) -> Response:
    """Whole, in part (206), not at all (304), or where else to get it (307). A HEAD request gets the headers.

    Raises:
        PreconditionFailedError: ``If-Match`` names another content.
        RangeInvalidError: ``Range`` lies outside.
        ObjectUnknownError, StoreUnavailableError: from the object store.
    """
    etag = f'"{content.etag}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{content.filename}"',
    }
    if content.cache_control is not None:
        headers["Cache-Control"] = content.cache_control
    _require_match(request, etag)
    if is_held(request.headers, etag):
        return Response(status_code=304, headers=headers)
    if content.presigned and (url := await run_in_threadpool(_presigned, resources, content)) is not None:
        return Response(status_code=307, headers={"Location": url, "Cache-Control": "no-store"})
    part = requested_range(request.headers, content.bytes, etag) if request.method == "GET" else None
    start, count = part or (0, content.bytes)
    headers["Content-Length"] = str(count)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{start + count - 1}/{content.bytes}"
    if request.method == "HEAD":
        return Response(headers=headers, media_type=content.media_type)
    blocks = await run_in_threadpool(resources.objects.stream, content.key, start, count)
    return StreamingResponse(
        _in_threads(blocks),
        status_code=200 if part is None else 206,
        headers=headers,
        media_type=content.media_type,
    )


def _require_match(request: Request, etag: str) -> None:
    given = request.headers.get("if-match")
    if given is not None and given.strip() != "*" and etag not in (tag.strip() for tag in given.split(",")):
        raise PreconditionFailedError(etag)


def _presigned(resources: Resources, content: Content) -> str | None:
    expires = timedelta(seconds=resources.settings.presign_seconds)
    return resources.objects.presigned_get(content.key, expires, content.filename, content.media_type)


async def _in_threads(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each block is waited for in a thread; the store's connection is given back when the caller goes away."""
    try:
        while (block := await anyio.to_thread.run_sync(next, blocks, None)) is not None:
            yield block
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(close)
