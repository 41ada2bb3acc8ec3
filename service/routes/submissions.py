"""Jobs submitted: registrations, projections, reconstructions, and volumes moved along a component."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request, Response

from eigenwarp.schemas.jobs import FINAL_STATES, JobRow
from eigenwarp.stores.database.records import Caller, JobRecord
from service.access import Submitter
from service.audit import AuditedRoute, audited, note_access
from service.declarations import SUBMISSION, Responses, answer_headers, declared
from service.job_rows import job_path, job_row
from service.openapi import submission_body
from service.prefer import wanted_wait
from service.resources import Resources, ResourcesDep
from service.spool import request_folder
from service.submission import submit
from service.submission_body import PROJECT, RECONSTRUCT, REGISTER, WARP, SubmissionForm, read_submission
from service.watching import wait_for_end

router = APIRouter(tags=["jobs"], route_class=AuditedRoute)

_RETRY_AFTER_SECONDS = "1"
_VOLUME, _OTHER = "sha256:" + "0f" * 32, "sha256:" + "a5" * 32
_ANSWERS: Responses = {
    **declared(*SUBMISSION),
    200: {
        "model": JobRow,
        "description": "The job has ended.",
        "headers": answer_headers("Location", "Preference-Applied"),
    },
    202: {
        "description": "Accepted.",
        "headers": answer_headers("Location", "Retry-After", "Preference-Applied"),
    },
}

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="The caller's own name for this request: the same request under it again gives the same job.",
    ),
]
Prefer = Annotated[
    str | None, Header(description="`wait=N`: answer when the job has ended, or after N seconds (60 at most).")
]


def _extra(form: SubmissionForm, **example: Any) -> dict[str, Any]:
    return submission_body(form, example)


@router.post(
    "/register",
    status_code=202,
    response_model=JobRow,
    responses=_ANSWERS,
    openapi_extra=_extra(REGISTER, moving=_VOLUME, fixed=_OTHER, options={"refine": "none", "outputs": ["field"]}),
)
@audited("job.submit")
async def register(
    request: Request,
    resources: ResourcesDep,
    caller: Submitter,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Register `moving` onto `fixed`.

    Segmentations are measured with, never registered with. Results: `field`, `inverse_field`, `warped`,
    `warped_segmentation`, `jacobian`, `report`; the report is in the job as well. `explanation`, a picture of what the
    report says of the components and motions, is drawn where `outputs` names it.
    """
    return await _answer(request, resources, caller, REGISTER, idempotency_key)


@router.post(
    "/project",
    status_code=202,
    response_model=JobRow,
    responses=_ANSWERS,
    openapi_extra=_extra(PROJECT, volume=_VOLUME, subject="s-0042", acquired_at="2026-01-31T09:30:00Z"),
)
@audited("job.submit")
async def project(
    request: Request,
    resources: ResourcesDep,
    caller: Submitter,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """A volume's coefficients in the basis. With `subject` they are kept in that subject's history."""
    return await _answer(request, resources, caller, PROJECT, idempotency_key)


@router.post(
    "/reconstruct",
    status_code=202,
    response_model=JobRow,
    responses=_ANSWERS,
    openapi_extra=_extra(RECONSTRUCT, coefficients=[12.5, -3.0]),
)
@audited("job.submit")
async def reconstruct(
    request: Request,
    resources: ResourcesDep,
    caller: Submitter,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """The deformation that coefficients stand for, and the template (or the volume given as such) warped by it."""
    return await _answer(request, resources, caller, RECONSTRUCT, idempotency_key)


@router.post(
    "/components/{k}/warp",
    status_code=202,
    response_model=JobRow,
    responses=_ANSWERS,
    openapi_extra=_extra(WARP, volume=_VOLUME, scale=2.0, unit="sd"),
)
@audited("job.submit")
async def warp(
    request: Request,
    resources: ResourcesDep,
    caller: Submitter,
    component: Annotated[int, Path(alias="k", ge=1, le=4096, description="From 1 to K.", examples=[1])],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """A volume and its segmentation moved along a component."""
    return await _answer(request, resources, caller, WARP, idempotency_key, component)


async def _answer(
    request: Request,
    resources: Resources,
    caller: Caller,
    form: SubmissionForm,
    idempotency_key: str | None,
    component: int | None = None,
) -> Response:
    with request_folder(resources.spool) as folder:
        submission = await read_submission(request, form, folder, resources.settings.max_upload_bytes)

        def take_in() -> JobRecord:
            return submit(resources, caller, form, submission, component=component, idempotency_key=idempotency_key)

        job = await to_thread.run_sync(take_in, limiter=resources.checks if submission.files else None)
    note_access(request, job.id, *(getattr(job.request, name) for name in form.volumes if getattr(job.request, name)))
    headers = {"Location": job_path(job.id)}
    seconds = wanted_wait(request.headers.getlist("prefer"))
    if seconds is not None:
        headers["Preference-Applied"] = f"wait={seconds}"
        if job.state not in FINAL_STATES:
            job = await wait_for_end(resources, job.id, seconds)
    ended = job.state in FINAL_STATES
    if not ended:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return Response(
        job_row(job).model_dump_json(),
        status_code=200 if ended else 202,
        headers=headers,
        media_type="application/json",
    )
