"""Volumes, the subjects they belong to and the encodings made of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, Select, delete, func, insert, select

from eigenwarp.errors import NotReadyError, VolumeInUseError, VolumeUnknownError
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.erasing import doom, erase, jobs_of_volumes
from eigenwarp.stores.database.records import Erased, VolumeRecord
from eigenwarp.stores.database.row import TableRow
from eigenwarp.stores.database.tables import doomed_objects, job_volumes, jobs, volume_codes, volume_subjects, volumes
from eigenwarp.stores.database.transactions import Transactions

RESERVED_FOR = timedelta(hours=1)
# The last minutes of a reservation are left to those whose clock is ahead of ours, and who delete.
_CLOCKS_APART = timedelta(minutes=5)


class VolumeRepository:
    """Volumes by the hash of their content. One content may be known under several subjects."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def reserve(self, volume_id: str, now: datetime | None = None) -> str:
        """A key to put a volume's bytes under before ``add``; unless that follows within 55 minutes, they are removed.

        Each is another, so that no deletion of the same content's former object can meet the new one.
        """
        key = f"volumes/{volume_id.removeprefix('sha256:')}-{uuid4().hex[:12]}.nii.gz"
        with self._transactions.write() as connection:
            doom(connection, [key], or_now(now) + RESERVED_FOR)
        return key

    def add(self, record: VolumeRecord, now: datetime | None = None) -> tuple[VolumeRecord, bool]:
        """Keep a volume whose bytes are in the object store, under a key that was reserved or is a known volume's.

        Returns:
            The volume, and whether it is new. Where its content was known already, the known record with its own key;
            what was put under another is removed as its reservation ends.

        Raises:
            NotReadyError: a new volume's key is not reserved, or no longer: its bytes may be gone. Reserve another and
                put them again.
        """
        row, moment = record.row, or_now(now)
        with self._transactions.write(exclusive=True) as connection:
            known = connection.execute(select(volumes.c.id).where(volumes.c.id == row.id)).first() is not None
            if not known:
                _take_back(connection, record.key, moment)
                bare = row.model_copy(update={"subject": None, "acquired_at": None})
                connection.execute(
                    insert(volumes).values(id=row.id, key=record.key, row=bare, created_at=row.created_at)
                )
            if row.subject is not None:
                link(connection, row.id, row.subject, row.acquired_at, moment)
            return _get(connection, row.id), not known

    def get(self, volume_id: str) -> VolumeRecord:
        """A volume; its subject and time of acquisition are those it was last added with.

        Raises:
            VolumeUnknownError: none of that id.
        """
        with self._transactions.read() as connection:
            return _get(connection, volume_id)

    def delete(self, volume_id: str, now: datetime | None = None) -> Erased:
        """Erase a volume and all that was computed from it: ended jobs with their results, coefficients, encodings.

        Raises:
            VolumeUnknownError: none of that id.
            VolumeInUseError: a job that has not ended needs it.
        """
        with self._transactions.write(exclusive=True) as connection:
            _get(connection, volume_id)
            unfinished = connection.execute(
                select(func.count())
                .select_from(job_volumes.join(jobs))
                .where(job_volumes.c.volume_id == volume_id, jobs.c.state.in_(("queued", "running")))
            ).scalar_one()
            if unfinished:
                raise VolumeInUseError(f"{unfinished} job(s) that have not ended need volume {volume_id}")
            erased = erase(connection, [volume_id], jobs_of_volumes(connection, [volume_id]), or_now(now))
        self._transactions.empty_log()
        return erased

    def add_code_keys(self, volume_id: str, keys: Sequence[str]) -> None:
        """Note where encodings of a volume are kept, so that they go when it goes. Note first, then put the objects.

        Raises:
            VolumeUnknownError: the volume is gone; nothing of it may be kept.
        """
        with self._transactions.write(exclusive=True) as connection:
            _get(connection, volume_id)
            known = set(connection.execute(_code_keys(volume_id)).scalars())
            new = [{"volume_id": volume_id, "key": key} for key in dict.fromkeys(keys) if key not in known]
            if new:
                connection.execute(insert(volume_codes), new)

    def code_keys(self, volume_id: str) -> list[str]:
        """Where encodings of a volume are kept."""
        with self._transactions.read() as connection:
            return list(connection.execute(_code_keys(volume_id)).scalars())


def link(connection: Connection, volume_id: str, subject: str, acquired_at: datetime | None, now: datetime) -> None:
    """A volume belongs to a subject, as of now the latest; a time of acquisition replaces the former one."""
    former = connection.execute(
        delete(volume_subjects)
        .where(volume_subjects.c.volume_id == volume_id, volume_subjects.c.subject == subject)
        .returning(volume_subjects.c.acquired_at)
    ).scalar()
    connection.execute(
        insert(volume_subjects).values(
            volume_id=volume_id, subject=subject, acquired_at=acquired_at or former, linked_at=now
        )
    )


def _take_back(connection: Connection, key: str, now: datetime) -> None:
    due = connection.execute(
        delete(doomed_objects).where(doomed_objects.c.key == key).returning(doomed_objects.c.due_at)
    ).scalars()
    if any(moment > now + _CLOCKS_APART for moment in due):
        return
    raise NotReadyError("the volume's bytes were removed, or are about to be; send it again")


def _get(connection: Connection, volume_id: str) -> VolumeRecord:
    row = connection.execute(select(volumes).where(volumes.c.id == volume_id)).first()
    if row is None:
        raise VolumeUnknownError(f"no volume {volume_id!r}")
    latest = connection.execute(
        select(volume_subjects.c.subject, volume_subjects.c.acquired_at)
        .where(volume_subjects.c.volume_id == volume_id)
        .order_by(volume_subjects.c.linked_at.desc(), volume_subjects.c.subject)
        .limit(1)
    ).first()
    return _record(row, latest)


def _record(row: TableRow, latest: TableRow | None) -> VolumeRecord:
    if latest is None:
        return VolumeRecord(row=row.row, key=row.key)
    return VolumeRecord(
        row=row.row.model_copy(update={"subject": latest.subject, "acquired_at": latest.acquired_at}), key=row.key
    )


def _code_keys(volume_id: str) -> Select[str]:
    return select(volume_codes.c.key).where(volume_codes.c.volume_id == volume_id).order_by(volume_codes.c.key)
