"""Jobs: listed, looked at, cancelled."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from eigenwarp.schemas.jobs import JobPage, JobRow, JobState
from eigenwarp.schemas.moment import Moment
from eigenwarp.schemas.names import JobId, SubjectId
from eigenwarp.schemas.requests import JobKind
from service.access import Reader, Submitter
from service.audit import AuditedRoute, audited, note_access
from service.declarations import answer_headers, declared
from service.job_rows import job_event, job_row
from service.resources import ResourcesDep

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=AuditedRoute)

Job = Annotated[JobId, Path(description="`job_` and 32 hexadecimal digits.", examples=["job_" + "0f" * 16])]


@router.get(
    "",
    responses={
        **declared("option-invalid"),
        200: {"description": "Newest first.", "headers": answer_headers("Link")},
    },
)
@audited("subject.read", noted_only=True)
def list_jobs(
    request: Request,
    response: Response,
    resources: ResourcesDep,
    caller: Reader,
    kind: JobKind | None = None,
    state: JobState | None = None,
    subject: SubjectId | None = None,
    created_after: Annotated[Moment | None, Query(description="Not before this.")] = None,
    created_before: Annotated[Moment | None, Query(description="Before this.")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPage:
    """Jobs by kind, state, subject and time, in pages. A page's cursor stays good while jobs come and go.

    `report` and `projection` are left out here: a job's own page has them.
    """
    if subject is not None:
        note_access(request, subject)
    jobs, following = resources.database.jobs.page(
        kind=kind,
        state=state,
        subject=subject,
        created_after=created_after,
        created_before=created_before,
        cursor=cursor,
        limit=limit,
    )
    if following is not None:
        asked = {name: value for name, value in request.query_params.items() if name != "cursor"}
        response.headers["Link"] = f'</jobs?{urlencode({**asked, "cursor": following})}>; rel="next"'
    return JobPage(jobs=[job_row(job, found=False) for job in jobs], next=following)


@router.get("/{job_id}", responses=declared("job-unknown"))
@audited("result.read", noted_only=True)
def get_job(request: Request, resources: ResourcesDep, caller: Reader, job_id: Job) -> JobRow:
    """State, progress, attempt, times, model version, results. A job that failed is no error: its problem is in it."""
    job = resources.database.jobs.get(job_id)
    if job.report is not None or job.projection is not None:
        note_access(request, job.id)
    return job_row(job)


@router.post("/{job_id}/cancel", responses=declared("job-unknown", "job-finished"))
def cancel_job(resources: ResourcesDep, caller: Submitter, job_id: Job) -> JobRow:
    """Cancel a job: one that waits at once, one that runs after its present stage. Again is no error."""
    job = resources.database.jobs.request_cancel(job_id)
    if job.state == "cancelled":
        resources.events.publish(job_event(job))
    return job_row(job)
