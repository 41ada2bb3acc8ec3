"""Working on jobs: claims, their renewal, and giving them back."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, update

from eigenwarp.errors import JobUnknownError
from eigenwarp.schemas.jobs import Progress
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.jobs.attempts import doom_attempts
from eigenwarp.stores.database.jobs.held import held, lost
from eigenwarp.stores.database.jobs.rows import attempts_exhausted, read_job, record
from eigenwarp.stores.database.records import Claim, JobRecord
from eigenwarp.stores.database.tables import jobs
from eigenwarp.stores.database.transactions import Transactions


class JobLeases:
    """What a worker does between taking a job and ending it."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def claim(
        self, job_id: str, worker: str, lease_seconds: float, max_attempts: int, now: datetime | None = None
    ) -> Claim | None:
        """Take a job that is queued, or running under a lease that has expired; of several workers one gets it.

        Returns:
            None where there is nothing to do: no such job (it was erased), it has ended, another worker holds it, its
            cancellation was asked for (it is cancelled now), or no attempt is left (it has failed now).
        """
        moment = or_now(now)
        with self._transactions.write() as connection:
            try:
                job = read_job(connection, job_id, lock=True)
            except JobUnknownError:
                return None
            if not _is_free(job, moment):
                return None
            if job.cancel_requested:
                _end(connection, job, moment, state="cancelled")
                return None
            if job.attempt >= max_attempts:
                _end(connection, job, moment, state="failed", problem=attempts_exhausted(job_id, job.attempt))
                return None
            taken = _change(
                connection,
                job,
                state="running",
                attempt=job.attempt + 1,
                token=job.token + 1,
                lease_until=moment + timedelta(seconds=lease_seconds),
                worker=worker,
                started_at=moment,
                progress=None,
            )
        return Claim(job=taken, token=taken.token)

    def renew(
        self, job_id: str, token: int, lease_seconds: float, progress: Progress | None, now: datetime | None = None
    ) -> bool:
        """Hold the job for another while, and say how far it is.

        Returns:
            Whether its cancellation was asked for.

        Raises:
            LeaseLostError: the job is not ours any more.
        """
        values: dict[str, Any] = {"lease_until": or_now(now) + timedelta(seconds=lease_seconds)}
        if progress is not None:
            values["progress"] = progress
        with self._transactions.write() as connection:
            row = connection.execute(held(job_id, token).values(values).returning(jobs.c.cancel_requested)).first()
        if row is None:
            raise lost(job_id)
        return bool(row.cancel_requested)

    def release(self, job_id: str, token: int, now: datetime | None = None) -> None:
        """Give a job back unharmed, as an orderly shutdown does; the attempt does not count.

        Raises:
            LeaseLostError: the job is not ours any more.
        """
        self._put_back(job_id, token, or_now(now), {"attempt": jobs.c.attempt - 1})

    def retry_later(self, job_id: str, token: int, now: datetime | None = None) -> None:
        """Give a job back because a store was away; the attempt counts.

        Raises:
            LeaseLostError: the job is not ours any more.
        """
        self._put_back(job_id, token, or_now(now), {})

    def _put_back(self, job_id: str, token: int, now: datetime, values: dict[str, Any]) -> None:
        # A cancellation that the worker had no time to notice would otherwise wait for the next worker.
        asked = jobs.c.cancel_requested
        statement = held(job_id, token).values(
            state=case((asked, "cancelled"), else_="queued"),
            finished_at=case((asked, now)),
            lease_until=None,
            progress=None,
            enqueued_at=None,
            **values,
        )
        with self._transactions.write() as connection:
            state = connection.execute(statement.returning(jobs.c.state)).scalar()
            if state is None:
                raise lost(job_id)
            if state == "cancelled":
                doom_attempts(connection, job_id, range(1, token + 1), now)


def _is_free(job: JobRecord, now: datetime) -> bool:
    expired = job.lease_until is None or job.lease_until <= now
    return job.state == "queued" or (job.state == "running" and expired)


def _end(connection: Connection, job: JobRecord, now: datetime, **values: Any) -> None:
    _change(connection, job, lease_until=None, progress=None, finished_at=now, **values)
    doom_attempts(connection, job.id, range(1, job.token + 1), now)


def _change(connection: Connection, job: JobRecord, **values: Any) -> JobRecord:
    guarded = update(jobs).where(jobs.c.id == job.id, jobs.c.state == job.state, jobs.c.token == job.token)
    return record(connection.execute(guarded.values(values).returning(jobs)).one())
