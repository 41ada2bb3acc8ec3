"""How jobs end."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from eigenwarp.errors import JobFinishedError
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.jobs.attempts import doom_attempts
from eigenwarp.stores.database.jobs.held import held, lost
from eigenwarp.stores.database.jobs.rows import read_job
from eigenwarp.stores.database.records import Artefact, HistoryEntry, JobRecord
from eigenwarp.stores.database.tables import artefacts, coefficients, jobs
from eigenwarp.stores.database.transactions import Transactions


class JobEndings:
    """Into ``succeeded``, ``failed`` or ``cancelled``, from where nothing leads on."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def succeed(
        self,
        job_id: str,
        token: int,
        artefacts: Sequence[Artefact],
        *,
        report: Report | None = None,
        projection: Projection | None = None,
        history: HistoryEntry | None = None,
        now: datetime | None = None,
    ) -> None:
        """The job is done: its results, and a subject's coefficients, appear together or not at all.

        Args:
            artefacts: already in the object store.

        Raises:
            LeaseLostError: the job is not ours any more; nothing is kept.
        """
        moment = or_now(now)
        with self._transactions.write() as connection:
            _end(connection, job_id, token, moment, state="succeeded", report=report, projection=projection)
            _keep_artefacts(connection, job_id, artefacts)
            if history is not None:
                _keep_history(connection, job_id, history, moment)
            doom_attempts(connection, job_id, range(1, token), moment)

    def fail(self, job_id: str, token: int, problem: Problem, now: datetime | None = None) -> None:
        """The job cannot be done.

        Raises:
            LeaseLostError: the job is not ours any more.
        """
        self._end_without_results(job_id, token, or_now(now), state="failed", problem=problem)

    def cancel_running(self, job_id: str, token: int, now: datetime | None = None) -> None:
        """The worker has stopped, as it was asked to.

        Raises:
            LeaseLostError: the job is not ours any more.
        """
        self._end_without_results(job_id, token, or_now(now), state="cancelled")

    def request_cancel(self, job_id: str, now: datetime | None = None) -> JobRecord:
        """A queued job is cancelled; of a running one the worker is told when it renews its lease. Idempotent.

        Raises:
            JobUnknownError: none of that id.
            JobFinishedError: it has succeeded or failed.
        """
        with self._transactions.write() as connection:
            job = read_job(connection, job_id, lock=True)
            if job.state in ("succeeded", "failed"):
                raise JobFinishedError(f"job {job_id} has {job.state}")
            this = update(jobs).where(jobs.c.id == job_id)
            if job.state == "queued":
                moment = or_now(now)
                connection.execute(this.values(state="cancelled", cancel_requested=True, finished_at=moment))
                doom_attempts(connection, job_id, range(1, job.token + 1), moment)
            elif job.state == "running":
                connection.execute(this.values(cancel_requested=True))
            return read_job(connection, job_id)

    def _end_without_results(self, job_id: str, token: int, now: datetime, **values: Any) -> None:
        with self._transactions.write() as connection:
            _end(connection, job_id, token, now, **values)
            doom_attempts(connection, job_id, range(1, token + 1), now)


def _end(connection: Connection, job_id: str, token: int, now: datetime, **values: Any) -> None:
    statement = held(job_id, token).values(lease_until=None, progress=None, finished_at=now, **values)
    if connection.execute(statement).rowcount != 1:
        raise lost(job_id)


def _keep_artefacts(connection: Connection, job_id: str, made: Sequence[Artefact]) -> None:
    rows = [{"job_id": job_id, "position": position, **asdict(one)} for position, one in enumerate(made)]
    if rows:
        connection.execute(insert(artefacts), rows)


def _keep_history(connection: Connection, job_id: str, entry: HistoryEntry, now: datetime) -> None:
    connection.execute(
        insert(coefficients).values(
            subject=entry.subject,
            job_id=job_id,
            volume_id=entry.volume,
            acquired_at=entry.acquired_at,
            recorded_at=now,
            projection=entry.projection,
        )
    )
