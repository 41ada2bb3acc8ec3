"""Jobs as callers see them."""

from datetime import UTC, datetime

from eigenwarp.schemas.jobs import JobEvent, JobRow, ResultRow
from eigenwarp.stores.database.records import JobRecord


def job_row(job: JobRecord, *, found: bool = True) -> JobRow:
    """What is told of a job: not who submitted it, nor which worker holds it.

    Args:
        found: with what it found out, its report or projection.
    """
    return JobRow(
        id=job.id,
        kind=job.kind,
        state=job.state,
        progress=job.progress,
        attempt=job.attempt,
        model=job.model,
        subject=job.subject,
        request=job.request,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        cancel_requested=job.cancel_requested,
        results=tuple(
            ResultRow(
                name=artefact.name,
                content_type=artefact.content_type,
                bytes=artefact.bytes,
                sha256=artefact.sha256,
                href=f"{job_path(job.id)}/results/{artefact.name}",
            )
            for artefact in job.artefacts
        ),
        report=job.report if found else None,
        projection=job.projection if found else None,
        problem=job.problem,
    )


def job_event(job: JobRecord) -> JobEvent:
    """A job's state as an event of this moment."""
    return JobEvent(
        job=job.id, state=job.state, progress=job.progress, attempt=job.attempt, at=job.finished_at or datetime.now(UTC)
    )


def job_path(job_id: str) -> str:
    """Where a job is found."""
    return f"/jobs/{job_id}"
