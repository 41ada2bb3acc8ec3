"""The files that a job made."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from eigenwarp.errors import ResultUnknownError
from service.access import Reader
from service.audit import AuditedRoute, audited
from service.content import Content, content_response
from service.declarations import CONTENT, content, declared
from service.intake import NIFTI_MEDIA_TYPE
from service.resources import Resources, ResourcesDep
from service.routes.jobs import Job

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=AuditedRoute)

ResultName = Annotated[
    str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="As the job lists it.", examples=["field"])
]


@router.get(
    "/{job_id}/results/{name}",
    response_class=Response,
    responses={
        **declared("job-unknown", "result-unknown", *CONTENT),
        **content(
            "The result's bytes; `ETag` is their SHA-256.",
            NIFTI_MEDIA_TYPE,
            "application/json",
            "image/png",
            presigned=True,
        ),
    },
)
@router.head("/{job_id}/results/{name}", include_in_schema=False)
@audited("result.read", part="name")
async def get_result(
    request: Request, resources: ResourcesDep, caller: Reader, job_id: Job, name: ResultName
) -> Response:
    """A result's bytes, whole or in part. Where a public object store is configured, by a redirect to it."""
    return await content_response(request, resources, await run_in_threadpool(_content, resources, job_id, name))


def _content(resources: Resources, job_id: str, name: str) -> Content:
    job = resources.database.jobs.get(job_id)
    for artefact in job.artefacts:
        if artefact.name == name:
            return Content(
                key=artefact.key,
                bytes=artefact.bytes,
                media_type=artefact.content_type,
                etag=artefact.sha256,
                filename=artefact.filename,
            )
    made = ", ".join(artefact.name for artefact in job.artefacts) or "none"
    raise ResultUnknownError(f"the job, which is {job.state}, has no result {name!r}; it has: {made}")
