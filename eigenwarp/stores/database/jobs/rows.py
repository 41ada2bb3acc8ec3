"""Between rows and records of jobs."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from eigenwarp.errors import AttemptsExhaustedError, JobUnknownError
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.problem_types import problem_of
from eigenwarp.stores.database.records import Artefact, JobRecord
from eigenwarp.stores.database.row import TableRow
from eigenwarp.stores.database.tables import artefacts, jobs


def read_job(connection: Connection, job_id: str, *, lock: bool = False) -> JobRecord:
    """A job with its artefacts.

    Args:
        lock: nobody else may change it until the transaction ends.

    Raises:
        JobUnknownError: none of that id.
    """
    statement = select(jobs).where(jobs.c.id == job_id)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise unknown(job_id)
    return records(connection, [row])[0]


def records(connection: Connection, rows: Sequence[TableRow]) -> list[JobRecord]:
    """Jobs with their artefacts, in the rows' order."""
    made: dict[str, list[Artefact]] = {}
    ended = [row.id for row in rows if row.state == "succeeded"]
    if ended:
        statement = select(artefacts).where(artefacts.c.job_id.in_(ended)).order_by(artefacts.c.position)
        for row in connection.execute(statement):
            made.setdefault(row.job_id, []).append(_artefact(row))
    return [record(row, tuple(made.get(row.id, ()))) for row in rows]


def record(row: TableRow, made: tuple[Artefact, ...] = ()) -> JobRecord:
    """One job."""
    return JobRecord(
        id=row.id,
        kind=row.kind,
        state=row.state,
        request=row.request,
        model=row.model,
        caller=row.caller,
        subject=row.subject,
        attempt=row.attempt,
        token=row.token,
        lease_until=row.lease_until,
        cancel_requested=row.cancel_requested,
        progress=row.progress,
        report=row.report,
        projection=row.projection,
        problem=row.problem,
        artefacts=made,
        worker=row.worker,
        created_at=row.created_at,
        enqueued_at=row.enqueued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def unknown(job_id: str) -> JobUnknownError:
    """No job of that id."""
    return JobUnknownError(f"no job {job_id!r}")


def attempts_exhausted(job_id: str, attempts: int) -> Problem:
    """Why a job failed that no worker came back from."""
    return problem_of(
        AttemptsExhaustedError(f"the job's worker was lost on each of {attempts} attempts"), instance=job_id
    )


def _artefact(row: TableRow) -> Artefact:
    return Artefact(
        name=row.name,
        key=row.key,
        content_type=row.content_type,
        bytes=row.bytes,
        sha256=row.sha256,
        filename=row.filename,
    )
