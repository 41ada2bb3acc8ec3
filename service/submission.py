"""From a submission to a job: checked, its files kept, its row written, its id sent to the queue."""

import hashlib
from collections.abc import Mapping

from eigenwarp.errors import StoreUnavailableError, VolumeUnknownError
from eigenwarp.log import get_logger
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.requests import JobRequest, ProjectRequest, WarpRequest
from eigenwarp.stores.database.records import Caller, JobRecord
from service.admission import Grid, admit, named, require_fitting
from service.intake import CheckedFile, Kept, check_file, give_back, keep_volume
from service.job_rows import job_event
from service.resources import Resources
from service.submission_body import Submission, SubmissionForm, WarpBody

_log = get_logger(__name__)


def submit(
    resources: Resources,
    caller: Caller,
    form: SubmissionForm,
    submission: Submission,
    *,
    component: int | None = None,
    idempotency_key: str | None = None,
) -> JobRecord:
    """Take a submission in. Blocks; takes a core while files are checked.

    Args:
        component: of the path, where there is one.
        idempotency_key: under which the same request gives the same job.

    Raises:
        EigenwarpError: whatever is wrong with it; then nothing of it is kept.
    """
    request = _request(submission.body, component)
    model = admit(resources, request)
    files = {
        name: check_file(resources.settings, path, form.volumes[name], name) for name, path in submission.files.items()
    }
    ids = {name: file.canonical.id for name, file in files.items()}
    request = request.model_copy(update=ids)
    volumes = _volumes(request, form)
    grids = {name: _grid(resources, name, volume_id, files) for name, volume_id in volumes.items()}
    require_fitting(grids, form.volumes)
    subject = request.subject if isinstance(request, ProjectRequest) else None
    acquired_at = request.acquired_at if isinstance(request, ProjectRequest) else None
    kept: list[Kept] = []
    try:
        for file in files.values():
            kept.append(keep_volume(resources, file, subject, acquired_at))
        return enqueue(
            resources, caller.id, request, model, list(volumes.values()), subject, idempotency_key=idempotency_key
        )
    except BaseException:
        give_back(resources, kept)
        raise


def enqueue(
    resources: Resources,
    caller: str,
    request: JobRequest,
    model: ModelReference | None,
    volumes: list[str],
    subject: str | None,
    *,
    idempotency_key: str | None,
) -> JobRecord:
    """Write a job's row and send its id. Where Redis is away the row stands, and is sent when that is back.

    Raises:
        QueueFullError, IdempotencyMismatchError, VolumeUnknownError, StoreUnavailableError: from the database.
    """
    job, created = resources.database.jobs.submit(
        request,
        model=model,
        caller=caller,
        volumes=volumes,
        subject=subject,
        idempotency_key=idempotency_key,
        # The model as it was asked for: a new version of it does not make the same request another.
        request_hash=hashlib.sha256(request.model_dump_json().encode()).hexdigest(),
        max_queued=resources.settings.max_queued_jobs,
    )
    if created:
        resources.events.publish(job_event(job))
        try:
            resources.queue.send(job.id)
            resources.database.jobs.mark_enqueued([job.id])
        except StoreUnavailableError as error:
            _log.warning("job waits to be sent", job_id=job.id, reason=error.detail)
    return job


def _request(body: object, component: int | None) -> JobRequest:
    if isinstance(body, WarpBody):
        return WarpRequest(component=component or 0, **dict(body))
    return body  # type: ignore[return-value]  # the other bodies are requests themselves


def _volumes(request: JobRequest, form: SubmissionForm) -> dict[str, str]:
    values = {name: getattr(request, name) for name in form.volumes}
    return {name: value for name, value in values.items() if value is not None}


def _grid(resources: Resources, name: str, volume_id: str, files: Mapping[str, CheckedFile]) -> Grid:
    if name in files:
        return Grid.of_file(files[name])
    try:
        return Grid.of_row(resources.database.volumes.get(volume_id).row)
    except VolumeUnknownError as error:
        raise named(error, name) from None
