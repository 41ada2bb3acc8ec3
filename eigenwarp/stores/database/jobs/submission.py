"""Taking jobs in."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, delete, func, insert, select

from eigenwarp.errors import IdempotencyMismatchError, QueueFullError, VolumeUnknownError
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.requests import JobRequest, ProjectRequest
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.erasing import LINGERING, doom
from eigenwarp.stores.database.jobs.rows import read_job, records, unknown
from eigenwarp.stores.database.records import JobRecord
from eigenwarp.stores.database.tables import job_volumes, jobs, volumes
from eigenwarp.stores.database.transactions import Transactions
from eigenwarp.stores.database.volumes import link


class JobSubmission:
    """How jobs come and go."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def submit(
        self,
        request: JobRequest,
        *,
        model: ModelReference | None,
        caller: str,
        volumes: Sequence[str],
        subject: str | None,
        idempotency_key: str | None,
        request_hash: str | None,
        max_queued: int,
        now: datetime | None = None,
    ) -> tuple[JobRecord, bool]:
        """Keep a new job, queued; or find the one that the same caller submitted under the same key.

        Args:
            volumes: ids of all that the request names. None can be deleted before the job has ended. With a subject,
                they belong to it from now on.
            request_hash: tells whether the request under a known key is the same.

        Returns:
            The job, and whether it is new.

        Raises:
            IdempotencyMismatchError: another request was submitted under the key.
            QueueFullError: ``max_queued`` jobs wait.
            VolumeUnknownError: one of the volumes is not there, or no longer.
        """
        moment = or_now(now)
        job_id = f"job_{uuid4().hex}"
        with self._transactions.write(exclusive=True) as connection:
            if idempotency_key is not None:
                known = _submitted(connection, caller, idempotency_key, request_hash)
                if known is not None:
                    return known, False
            _check_room(connection, max_queued)
            named = list(dict.fromkeys(volumes))
            _check_volumes(connection, named)
            connection.execute(
                insert(jobs).values(
                    id=job_id,
                    kind=request.kind,
                    state="queued",
                    request=request,
                    model=model,
                    caller=caller,
                    subject=subject,
                    idempotency_key=idempotency_key,
                    request_hash=request_hash,
                    created_at=moment,
                )
            )
            if named:
                connection.execute(insert(job_volumes), [{"job_id": job_id, "volume_id": one} for one in named])
            if subject is not None:
                acquired_at = request.acquired_at if isinstance(request, ProjectRequest) else None
                for volume_id in named:
                    link(connection, volume_id, subject, acquired_at, moment)
            return read_job(connection, job_id), True

    def delete(self, job_id: str, now: datetime | None = None) -> None:
        """Remove a job and its results, ended or not. A subject's history keeps what the job put there.

        Raises:
            JobUnknownError: none of that id.
        """
        moment = or_now(now)
        with self._transactions.write() as connection:
            state = connection.execute(delete(jobs).where(jobs.c.id == job_id).returning(jobs.c.state)).scalar()
            if state is None:
                raise unknown(job_id)
            doom(connection, [f"jobs/{job_id}/"], moment)
            if state in ("queued", "running"):
                doom(connection, [f"jobs/{job_id}/"], moment + LINGERING)


def _submitted(connection: Connection, caller: str, idempotency_key: str, request_hash: str | None) -> JobRecord | None:
    row = connection.execute(
        select(jobs).where(jobs.c.caller == caller, jobs.c.idempotency_key == idempotency_key)
    ).first()
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise IdempotencyMismatchError(f"Idempotency-Key {idempotency_key!r}: used with another request, job {row.id}")
    return records(connection, [row])[0]


def _check_room(connection: Connection, max_queued: int) -> None:
    waiting = connection.execute(select(func.count()).where(jobs.c.state == "queued")).scalar_one()
    if waiting >= max_queued:
        raise QueueFullError(f"{waiting} jobs wait, {max_queued} are allowed to")


def _check_volumes(connection: Connection, named: Sequence[str]) -> None:
    found = set(connection.execute(select(volumes.c.id).where(volumes.c.id.in_(named))).scalars()) if named else set()
    for volume_id in named:
        if volume_id not in found:
            raise VolumeUnknownError(f"no volume {volume_id!r}")
