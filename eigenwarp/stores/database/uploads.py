"""Places promised for large files."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from eigenwarp.errors import UploadUnknownError
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.erasing import LINGERING, doom
from eigenwarp.stores.database.records import DoomedObject, UploadRecord
from eigenwarp.stores.database.row import TableRow
from eigenwarp.stores.database.tables import uploads
from eigenwarp.stores.database.transactions import Transactions


class UploadRepository:
    """Uploads that are not yet complete. A row that goes leaves its object doomed: nobody else removes it."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def create(self, upload: UploadRecord) -> None:
        """Keep a new one."""
        with self._transactions.write() as connection:
            connection.execute(
                insert(uploads).values(
                    id=upload.id,
                    request=upload.request,
                    subject=upload.request.subject,
                    key=upload.key,
                    caller=upload.caller,
                    created_at=upload.created_at,
                    expires_at=upload.expires_at,
                )
            )

    def get(self, upload_id: str, now: datetime | None = None) -> UploadRecord:
        """One that still holds.

        Raises:
            UploadUnknownError: no such upload, or it has expired or is complete.
        """
        with self._transactions.read() as connection:
            row = connection.execute(
                select(uploads).where(uploads.c.id == upload_id, uploads.c.expires_at > or_now(now))
            ).first()
        if row is None:
            raise UploadUnknownError(f"no upload {upload_id!r} that waits for its bytes")
        return _record(row)

    def take(self, upload_id: str, now: datetime | None = None) -> UploadRecord:
        """Complete it: of several callers one gets it. Its object may be read for an hour yet.

        Raises:
            UploadUnknownError: no such upload, or it has expired or is complete.
        """
        moment = or_now(now)
        statement = delete(uploads).where(uploads.c.id == upload_id, uploads.c.expires_at > moment).returning(uploads)
        with self._transactions.write() as connection:
            row = connection.execute(statement).first()
            if row is not None:
                _doom(connection, _record(row), moment)
        if row is None:
            raise UploadUnknownError(f"no upload {upload_id!r} that waits for its bytes")
        return _record(row)

    def expired(self, now: datetime | None = None, limit: int = 1000) -> list[UploadRecord]:
        """Those whose time is over, for ``delete``."""
        statement = select(uploads).where(uploads.c.expires_at <= or_now(now)).order_by(uploads.c.expires_at)
        with self._transactions.read() as connection:
            return [_record(row) for row in connection.execute(statement.limit(limit))]

    def delete(self, upload_id: str, now: datetime | None = None) -> None:
        """Give it up; nothing happens where there is none."""
        with self._transactions.write() as connection:
            row = connection.execute(delete(uploads).where(uploads.c.id == upload_id).returning(uploads)).first()
            if row is not None:
                _doom(connection, _record(row), or_now(now))


def erase_uploads(connection: Connection, subject: str, now: datetime) -> tuple[DoomedObject, ...]:
    """Remove those that name a subject; the bytes that have arrived go now, those that may yet arrive later."""
    rows = connection.execute(delete(uploads).where(uploads.c.subject == subject).returning(uploads)).all()
    doomed: tuple[DoomedObject, ...] = ()
    for row in rows:
        record = _record(row)
        doomed += doom(connection, [record.key], now) + _doom(connection, record, now)
    return doomed


def _doom(connection: Connection, upload: UploadRecord, now: datetime) -> tuple[DoomedObject, ...]:
    # Not earlier: who holds the presigned URL may put bytes there as long as it holds.
    return doom(connection, [upload.key], max(upload.expires_at, now) + LINGERING)


def _record(row: TableRow) -> UploadRecord:
    return UploadRecord(
        id=row.id,
        request=row.request,
        key=row.key,
        caller=row.caller,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
