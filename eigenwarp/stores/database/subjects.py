"""What is held on subjects, and its erasure."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from eigenwarp.errors import SubjectUnknownError
from eigenwarp.schemas.subjects import HistoryRow
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.erasing import erase, jobs_of_volumes
from eigenwarp.stores.database.records import Erased
from eigenwarp.stores.database.tables import coefficients, erasures, jobs, uploads, volume_subjects
from eigenwarp.stores.database.transactions import Transactions
from eigenwarp.stores.database.uploads import erase_uploads


class SubjectRepository:
    """Subjects by the opaque id that callers gave them; there is no other record of a subject."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def history(self, subject: str) -> list[HistoryRow]:
        """The subject's projections, by time of acquisition (those without one last), then of recording.

        Raises:
            SubjectUnknownError: nothing is held on the subject.
        """
        with self._transactions.read() as connection:
            rows = connection.execute(
                select(coefficients)
                .where(coefficients.c.subject == subject)
                .order_by(
                    coefficients.c.acquired_at.is_(None),
                    coefficients.c.acquired_at,
                    coefficients.c.recorded_at,
                    coefficients.c.id,
                )
            ).all()
            if not rows and not any(
                connection.execute(select(table.c.subject).where(table.c.subject == subject).limit(1)).first()
                for table in (volume_subjects, jobs, uploads)
            ):
                raise _unknown(subject)
        return [
            HistoryRow(
                acquired_at=row.acquired_at,
                recorded_at=row.recorded_at,
                job=row.job_id,
                volume=row.volume_id,
                projection=row.projection,
            )
            for row in rows
        ]

    def erase(self, subject: str, now: datetime | None = None) -> Erased:
        """Remove the subject's volumes, coefficients and uploads, and all jobs that name it or use its volumes.

        Jobs that have not ended go as well: their workers lose the lease.

        Raises:
            SubjectUnknownError: nothing is held on the subject.
        """
        moment = or_now(now)
        with self._transactions.write(exclusive=True) as connection:
            volume_ids = list(
                connection.execute(
                    select(volume_subjects.c.volume_id).where(volume_subjects.c.subject == subject)
                ).scalars()
            )
            naming = connection.execute(select(jobs.c.id).where(jobs.c.subject == subject)).scalars()
            job_ids = sorted({*naming, *jobs_of_volumes(connection, volume_ids)})
            given_up = erase_uploads(connection, subject, moment)
            erased = erase(connection, volume_ids, job_ids, moment, subject)
            if not (volume_ids or job_ids or given_up or erased.coefficients):
                raise _unknown(subject)
        self._transactions.empty_log()
        return replace(erased, doomed=(*erased.doomed, *given_up))

    def erasure_epoch(self) -> int:
        """Grows with every erasure, of a subject or of a volume: who keeps anything in memory drops it then."""
        with self._transactions.read() as connection:
            latest: int | None = connection.execute(select(func.max(erasures.c.id))).scalar()
        return latest or 0


def _unknown(subject: str) -> SubjectUnknownError:
    return SubjectUnknownError(f"nothing is held on subject {subject!r}")
