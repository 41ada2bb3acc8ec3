"""Finding jobs whose worker or whose message was lost."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update

from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.jobs.attempts import doom_attempts
from eigenwarp.stores.database.jobs.rows import attempts_exhausted
from eigenwarp.stores.database.tables import jobs
from eigenwarp.stores.database.transactions import Transactions


class JobRecovery:
    """What the recovery loop needs."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def mark_enqueued(self, job_ids: Sequence[str], now: datetime | None = None) -> None:
        """Messages for these were sent."""
        if not job_ids:
            return
        # Two loops that recover the same jobs would lock them in different orders.
        with self._transactions.write(exclusive=len(job_ids) > 1) as connection:
            for start in range(0, len(job_ids), 500):
                some = jobs.c.id.in_(job_ids[start : start + 500])
                connection.execute(update(jobs).where(some, jobs.c.state == "queued").values(enqueued_at=or_now(now)))

    def expire_leases(self, max_attempts: int, now: datetime | None = None) -> list[str]:
        """End the leases of silent workers: their jobs are queued again, or fail if no attempt is left.

        Returns:
            Ids of those that are queued now and need a message.
        """
        moment = or_now(now)
        expired = select(jobs.c.id, jobs.c.token, jobs.c.attempt, jobs.c.cancel_requested).where(_silent(moment))
        queued = []
        with self._transactions.write() as connection:
            # Who else recovers has the locked ones in hand; whoever renews one in time keeps it.
            for row in connection.execute(expired.with_for_update(skip_locked=True)).all():
                values: dict[str, object] = {"lease_until": None, "progress": None}
                if row.cancel_requested:
                    values |= {"state": "cancelled", "finished_at": moment}
                elif row.attempt >= max_attempts:
                    problem = attempts_exhausted(row.id, row.attempt)
                    values |= {"state": "failed", "finished_at": moment, "problem": problem}
                else:
                    values |= {"state": "queued", "enqueued_at": None}
                    queued.append(row.id)
                same = update(jobs).where(jobs.c.id == row.id, jobs.c.token == row.token, _silent(moment))
                connection.execute(same.values(values))
                if "finished_at" in values:
                    doom_attempts(connection, row.id, range(1, row.token + 1), moment)
        return queued

    def queued(self, limit: int, not_enqueued_since: datetime) -> list[str]:
        """Ids of queued jobs whose message was never sent, then of those for which it was sent longest ago.

        Args:
            not_enqueued_since: those sent later are left out.
        """
        waiting = or_(jobs.c.enqueued_at.is_(None), jobs.c.enqueued_at < or_now(not_enqueued_since))
        statement = (
            select(jobs.c.id)
            .where(jobs.c.state == "queued", waiting)
            .order_by(jobs.c.enqueued_at.is_not(None), jobs.c.enqueued_at, jobs.c.created_at)
            .limit(limit)
        )
        with self._transactions.read() as connection:
            return list(connection.execute(statement).scalars())


def _silent(now: datetime) -> ColumnElement[bool]:
    return (jobs.c.state == "running") & (jobs.c.lease_until <= now)
