"""Removing jobs and volumes with all that hangs on them, within a caller's transaction."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from eigenwarp.stores.database.records import DoomedObject, Erased
from eigenwarp.stores.database.tables import (
    audit,
    coefficients,
    doomed_objects,
    erasures,
    job_volumes,
    jobs,
    volume_codes,
    volumes,
)

ERASED_TARGET = "erased"
LINGERING = timedelta(hours=1)
"""After so long no worker is still at a job that was taken from it."""

# Both databases bound the number of values in one statement.
_CHUNK = 500


def doom(connection: Connection, keys: Sequence[str], due_at: datetime) -> tuple[DoomedObject, ...]:
    """Remember keys, and prefixes that end in ``/``, to be deleted from the object store."""
    if not keys:
        return ()
    statement = insert(doomed_objects).returning(doomed_objects.c.id, sort_by_parameter_order=True)
    ids = connection.execute(statement, [{"key": key, "due_at": due_at} for key in keys]).scalars()
    return tuple(DoomedObject(id=number, key=key, due_at=due_at) for number, key in zip(ids, keys, strict=True))


def jobs_of_volumes(connection: Connection, volume_ids: Sequence[str]) -> list[str]:
    """Ids of the jobs that use any of the volumes."""
    found: set[str] = set()
    for part in _chunks(volume_ids):
        found.update(
            connection.execute(select(job_volumes.c.job_id).where(job_volumes.c.volume_id.in_(part))).scalars()
        )
    return sorted(found)


def erase(
    connection: Connection, volume_ids: Sequence[str], job_ids: Sequence[str], now: datetime, subject: str | None = None
) -> Erased:
    """Jobs, volumes, what either left behind, and the coefficients that were computed from them or that name a subject.

    The audit trail stays, but no longer tells what was accessed. The caller's transaction must be exclusive: no job may
    be submitted meanwhile that uses a volume.
    """
    # A worker that is still at one of the jobs learns only at its next renewal that the job is gone.
    worked_on = _any_unfinished(connection, job_ids)
    made_by_jobs = [f"jobs/{job_id}/" for job_id in job_ids]
    contents: list[str] = []
    rows = 0
    if subject is not None:
        rows += connection.execute(delete(coefficients).where(coefficients.c.subject == subject)).rowcount
    for part in _chunks(job_ids):
        rows += connection.execute(delete(coefficients).where(coefficients.c.job_id.in_(part))).rowcount
        connection.execute(delete(jobs).where(jobs.c.id.in_(part)))
    for part in _chunks(volume_ids):
        made_by_jobs += connection.execute(
            select(volume_codes.c.key).where(volume_codes.c.volume_id.in_(part))
        ).scalars()
        contents += connection.execute(select(volumes.c.key).where(volumes.c.id.in_(part))).scalars()
        rows += connection.execute(delete(coefficients).where(coefficients.c.volume_id.in_(part))).rowcount
        connection.execute(delete(volumes).where(volumes.c.id.in_(part)))
    _forget_targets(connection, [*volume_ids, *job_ids, *([] if subject is None else [subject])])
    connection.execute(insert(erasures).values(at=now, volumes=len(volume_ids), jobs=len(job_ids), coefficients=rows))
    doomed = doom(connection, [*contents, *made_by_jobs], now)
    if worked_on:
        doomed += doom(connection, made_by_jobs, now + LINGERING)
    return Erased(volumes=tuple(volume_ids), jobs=tuple(job_ids), coefficients=rows, doomed=doomed)


def _any_unfinished(connection: Connection, job_ids: Sequence[str]) -> bool:
    unfinished = select(jobs.c.id).where(jobs.c.state.in_(("queued", "running"))).limit(1)
    return any(connection.execute(unfinished.where(jobs.c.id.in_(part))).first() for part in _chunks(job_ids))


def _forget_targets(connection: Connection, targets: Sequence[str]) -> None:
    for part in _chunks(targets):
        connection.execute(update(audit).where(audit.c.target.in_(part)).values(target=ERASED_TARGET))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
