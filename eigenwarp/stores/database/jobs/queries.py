"""Looking at jobs."""

from datetime import datetime

from sqlalchemy import func, select, tuple_

from eigenwarp.schemas.jobs import JobState
from eigenwarp.schemas.requests import JobKind
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.cursor import make_cursor, read_cursor
from eigenwarp.stores.database.jobs.rows import read_job, records
from eigenwarp.stores.database.records import JobRecord
from eigenwarp.stores.database.tables import jobs
from eigenwarp.stores.database.transactions import Transactions


class JobQueries:
    """What callers see."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, job_id: str) -> JobRecord:
        """A job.

        Raises:
            JobUnknownError: none of that id.
        """
        with self._transactions.read() as connection:
            return read_job(connection, job_id)

    def page(
        self,
        *,
        kind: JobKind | None = None,
        state: JobState | None = None,
        subject: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[list[JobRecord], str | None]:
        """Jobs, newest first, and the next page's cursor; None after the last.

        A cursor says after which job the page begins, so jobs that arrive or go meanwhile shift nothing.

        Args:
            created_after, created_before: both exclusive.

        Raises:
            OptionInvalidError: a cursor that is none of ours.
        """
        statement = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit + 1)
        for column, wanted in ((jobs.c.kind, kind), (jobs.c.state, state), (jobs.c.subject, subject)):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if created_after is not None:
            statement = statement.where(jobs.c.created_at > or_now(created_after))
        if created_before is not None:
            statement = statement.where(jobs.c.created_at < or_now(created_before))
        if cursor is not None:
            statement = statement.where(tuple_(jobs.c.created_at, jobs.c.id) < read_cursor(cursor))
        with self._transactions.read() as connection:
            rows = connection.execute(statement).all()
            page = records(connection, rows[:limit])
        return page, make_cursor(page[-1].created_at, page[-1].id) if len(rows) > limit else None

    def count(self, state: JobState) -> int:
        """Jobs in a state."""
        with self._transactions.read() as connection:
            return connection.execute(select(func.count()).where(jobs.c.state == state)).scalar_one()

    def counts(self) -> dict[JobState, int]:
        """Jobs in each state, 0 included."""
        totals: dict[JobState, int] = {"queued": 0, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0}
        with self._transactions.read() as connection:
            for state, number in connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)):
                totals[state] = number
        return totals

    def oldest_queued(self) -> datetime | None:
        """Since when the job has been there that has waited longest; None where none waits."""
        with self._transactions.read() as connection:
            return connection.execute(select(func.min(jobs.c.created_at)).where(jobs.c.state == "queued")).scalar()
