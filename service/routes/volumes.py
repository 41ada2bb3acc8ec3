"""Volumes: taken in, looked at, downloaded, erased."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor

from eigenwarp.schemas.document import Document
from eigenwarp.schemas.moment import Moment
from eigenwarp.schemas.names import SubjectId, VolumeId
from eigenwarp.schemas.volumes import VolumeKind, VolumeRow
from service.access import Administrator, Reader, Submitter
from service.audit import AuditedRoute, audited, note_access
from service.content import Content, content_response
from service.declarations import CONTENT, answer_headers, content, declared
from service.erasure import erase_volume
from service.intake import NIFTI_MEDIA_TYPE, Kept, check_file, keep_volume
from service.multipart import read_form
from service.openapi import form_fields
from service.refusals import RequestInvalidError
from service.resources import Resources, ResourcesDep
from service.spool import request_folder
from service.validation import checked


class _VolumeConvertor(StringConvertor):
    """Any part of a path but ``uploads``, which is another resource."""

    regex = "(?!uploads(?:/|$))[^/]+"


register_url_convertor("volume", _VolumeConvertor())

router = APIRouter(prefix="/volumes", tags=["volumes"], route_class=AuditedRoute)

VOLUME_PROBLEMS = (
    "volume-not-nifti",
    "volume-not-3d",
    "volume-too-large",
    "empty-volume",
    "geometry-invalid",
    "voxels-not-finite",
    "labels-not-integer",
    "not-ready",
)
KNOWN: dict[str, Any] = {
    "model": VolumeRow,
    "description": "The same content was there already.",
    "headers": answer_headers("Location"),
}
TAKEN_IN: dict[str, Any] = {"description": "Taken in.", "headers": answer_headers("Location")}
_FILE = "file"

Volume = Annotated[VolumeId, Path(description="`sha256:` and 64 hexadecimal digits.", examples=["sha256:" + "0f" * 32])]


class VolumeFields(Document):
    """What is said of a file beside its content."""

    kind: VolumeKind = "image"
    subject: SubjectId | None = None
    acquired_at: Moment | None = None


@router.post(
    "",
    status_code=201,
    response_model=VolumeRow,
    responses={
        **declared(*VOLUME_PROBLEMS, "media-type-unsupported", "request-too-large"),
        200: KNOWN,
        201: TAKEN_IN,
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": [_FILE],
                        "additionalProperties": False,
                        "properties": {
                            _FILE: {
                                "description": "NIfTI-1 or NIfTI-2, .nii or .nii.gz.",
                                "type": "string",
                                "format": "binary",
                            },
                            **form_fields(VolumeFields),
                        },
                    }
                }
            },
        }
    },
)
@audited("volume.create")
async def create_volume(request: Request, resources: ResourcesDep, caller: Submitter) -> Response:
    """Take a volume in. The same content again gives the same id.

    Header fields that can carry a name (`descrip`, `db_name`, `aux_file`, `intent_name`, extensions) are cleared.
    """
    with request_folder(resources.spool) as folder:
        form = await read_form(
            request,
            folder,
            files={_FILE},
            fields=VolumeFields.model_fields,
            file_bytes=resources.settings.max_upload_bytes,
        )
        given = checked(VolumeFields, form.fields, "body")
        if _FILE not in form.files:
            raise RequestInvalidError.at(f"body.{_FILE}", "a file is wanted")

        def take_in() -> Kept:
            file = check_file(resources.settings, form.files[_FILE], given.kind)
            return keep_volume(resources, file, given.subject, given.acquired_at)

        kept = await to_thread.run_sync(take_in, limiter=resources.checks)
    return volume_answer(request, kept)


def volume_answer(request: Request, kept: Kept) -> Response:
    """201 for a new volume, 200 for a known one."""
    row = kept.record.row
    note_access(request, row.id)
    return Response(
        row.model_dump_json(),
        status_code=201 if kept.created else 200,
        headers={"Location": f"/volumes/{row.id}"},
        media_type="application/json",
    )


@router.get("/{volume_id:volume}", responses=declared("volume-unknown"))
@audited("volume.read")
def get_volume(resources: ResourcesDep, caller: Reader, volume_id: Volume) -> VolumeRow:
    """What is known of a volume."""
    return resources.database.volumes.get(volume_id).row


@router.get(
    "/{volume_id:volume}/content",
    response_class=Response,
    responses={
        **declared("volume-unknown", *CONTENT),
        **content("NIfTI, gzipped, with the voxels as they came.", NIFTI_MEDIA_TYPE, presigned=True),
    },
)
@router.head("/{volume_id:volume}/content", include_in_schema=False)
@audited("volume.download")
async def get_volume_content(request: Request, resources: ResourcesDep, caller: Reader, volume_id: Volume) -> Response:
    """The volume's bytes, whole or in part (`Range`, `If-Range`), if they are (`If-Match`) or are not
    (`If-None-Match`) known."""
    return await content_response(request, resources, await run_in_threadpool(_content, resources, volume_id))


@router.delete("/{volume_id:volume}", status_code=204, responses=declared("volume-unknown", "volume-in-use"))
@audited("volume.erase")
def delete_volume(resources: ResourcesDep, caller: Administrator, volume_id: Volume) -> None:
    """Erase a volume and all that was computed from it: ended jobs with their results, coefficients, encodings."""
    erase_volume(resources, volume_id)


def _content(resources: Resources, volume_id: str) -> Content:
    record = resources.database.volumes.get(volume_id)
    # Every copy that is put into the store has a key of its own.
    name = record.key.rpartition("/")[2].removesuffix(".nii.gz")
    return Content(
        key=record.key,
        bytes=record.row.bytes,
        media_type=NIFTI_MEDIA_TYPE,
        etag=name,
        filename=f"{name[:16]}.nii.gz",
    )
