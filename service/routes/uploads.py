"""Large files: a place to put one to, and its completion. Where that place is, the object store says."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from eigenwarp.errors import (
    EigenwarpError,
    ObjectUnknownError,
    StoreUnavailableError,
    UploadIncompleteError,
    UploadUnknownError,
    VolumeTooLargeError,
)
from eigenwarp.schemas.volumes import UploadRequest, UploadTicket, VolumeRow
from eigenwarp.stores.database.records import UploadRecord
from service.access import Submitter
from service.audit import AuditedRoute, audited, note_access
from service.declarations import answer_headers, declared
from service.intake import Kept, check_file, keep_volume
from service.middleware.body_bound import raise_body_bound
from service.openapi import json_body
from service.refusals import RequestInvalidError, RequestTooLargeError
from service.resources import Resources, ResourcesDep
from service.routes.volumes import KNOWN, TAKEN_IN, VOLUME_PROBLEMS, volume_answer
from service.spool import request_folder
from service.validation import read_json

router = APIRouter(prefix="/volumes/uploads", tags=["volumes"], route_class=AuditedRoute)

_WRITE_BYTES = 1 << 20
_OCTETS = "application/octet-stream"

Upload = Annotated[str, Path(pattern=r"^upl_[0-9a-f]{32}$", description="As given.", examples=["upl_" + "0f" * 16])]


@router.post(
    "",
    status_code=201,
    response_model=UploadTicket,
    responses={
        **declared("media-type-unsupported", "request-too-large", "volume-too-large"),
        201: {"description": "Promised.", "headers": answer_headers("Location")},
    },
    openapi_extra=json_body(UploadRequest, {"kind": "image", "bytes": 1048576}),
)
@audited("upload.create")
async def create_upload(request: Request, resources: ResourcesDep, caller: Submitter) -> Response:
    """Ask for a place to put a large file to: a URL for one HTTP PUT, for some minutes. Complete it afterwards."""
    wanted = await read_json(request, UploadRequest)
    limit = resources.settings.max_upload_bytes
    if wanted.bytes > limit:
        raise VolumeTooLargeError(f"{wanted.bytes} bytes, the limit is {limit}")
    base = resources.settings.public_url or str(request.base_url)
    ticket = await run_in_threadpool(_promise, resources, wanted, caller.id, base.rstrip("/"))
    note_access(request, ticket.upload)
    return Response(
        ticket.model_dump_json(),
        status_code=201,
        headers={"Location": f"{router.prefix}/{ticket.upload}/complete", "Cache-Control": "no-store"},
        media_type="application/json",
    )


@router.put(
    "/{upload}/content",
    status_code=204,
    responses=declared("upload-unknown", "volume-too-large"),
    openapi_extra={
        "requestBody": {"required": True, "content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}},
        # The signature in the URL is the permission.
        "security": [],
    },
)
async def put_upload(
    request: Request,
    resources: ResourcesDep,
    upload: Upload,
    max_bytes: Annotated[int, Query(alias="bytes", ge=1, le=1 << 53)],
    expires: Annotated[int, Query(ge=0, le=1 << 40)],
    signature: Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")],
) -> Response:
    """Put the file's bytes, once, to the URL that was given. Only where the object store gives none of its own."""
    resources.uploads.require(upload, max_bytes, expires, signature)
    record = await run_in_threadpool(_awaited, resources, upload)
    raise_body_bound(request, max_bytes)
    with request_folder(resources.spool) as folder:
        path = folder / "content"
        try:
            with path.open("xb", buffering=_WRITE_BYTES) as file:
                async for chunk in request.stream():
                    await run_in_threadpool(file.write, chunk)
        except RequestTooLargeError:
            raise VolumeTooLargeError(f"longer than the {max_bytes} bytes that were announced") from None
        except ClientDisconnect:
            raise RequestInvalidError.at("body", "the connection ended before the file did") from None
        except OSError as error:
            raise StoreUnavailableError(f"the upload cannot be kept: {error.strerror}") from None
        # Asked again: another may have put it meanwhile, or the subject may have been erased.
        await run_in_threadpool(_awaited, resources, upload)
        await run_in_threadpool(resources.objects.put, record.key, path)
    return Response(status_code=204)


@router.post(
    "/{upload}/complete",
    status_code=201,
    response_model=VolumeRow,
    responses={
        **declared(*VOLUME_PROBLEMS, "upload-unknown", "upload-incomplete"),
        200: KNOWN,
        201: TAKEN_IN,
    },
)
@audited("volume.create")
async def complete_upload(request: Request, resources: ResourcesDep, caller: Submitter, upload: Upload) -> Response:
    """Check what was put there and take it in. Of a file that is refused nothing is kept; ask for another place."""
    kept = await to_thread.run_sync(_complete, resources, upload, limiter=resources.checks)
    return volume_answer(request, kept)


def _promise(resources: Resources, wanted: UploadRequest, caller: str, base: str) -> UploadTicket:
    upload = f"upl_{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    lifetime = timedelta(seconds=resources.settings.presign_seconds)
    record = UploadRecord(
        id=upload, request=wanted, key=f"uploads/{upload}", caller=caller, created_at=now, expires_at=now + lifetime
    )
    url = resources.objects.presigned_put(record.key, lifetime)
    if url is None:
        url = base + resources.uploads.path(upload, wanted.bytes, record.expires_at)
    resources.database.uploads.create(record)
    return UploadTicket(upload=upload, url=url, expires_at=record.expires_at, max_bytes=wanted.bytes)


def _awaited(resources: Resources, upload: str) -> UploadRecord:
    record = resources.database.uploads.get(upload)
    if resources.objects.stat(record.key) is not None:
        raise UploadUnknownError(f"upload {upload} has its bytes already")
    return record


def _complete(resources: Resources, upload: str) -> Kept:
    record = resources.database.uploads.get(upload)
    found = resources.objects.stat(record.key)
    if found is None:
        raise UploadIncompleteError(f"nothing was put there yet for upload {upload}")
    with request_folder(resources.spool) as folder:
        path = folder / "content"
        wanted = record.request
        try:
            if found.bytes > wanted.bytes:
                raise VolumeTooLargeError(f"{found.bytes} bytes were put, {wanted.bytes} were announced")
            resources.objects.fetch(record.key, path, wanted.bytes)
            file = check_file(resources.settings, path, wanted.kind)
            # Of several callers one gets it; the others find the upload gone, and nothing of theirs is kept.
            record = resources.database.uploads.take(upload)
            kept = keep_volume(resources, file, wanted.subject, wanted.acquired_at)
        except StoreUnavailableError:
            # Nothing is wrong with the file: it may be completed once the stores are back.
            raise
        except ObjectUnknownError:
            raise UploadUnknownError(f"upload {upload} is gone") from None
        except EigenwarpError:
            _discard(resources, record)
            raise
    _discard(resources, record)
    return kept


def _discard(resources: Resources, record: UploadRecord) -> None:
    """Remove upload and bytes. What fails here the recovery loop does: the row that went left the object doomed."""
    try:
        resources.database.uploads.delete(record.id)
        resources.objects.delete(record.key)
    except StoreUnavailableError:
        return
