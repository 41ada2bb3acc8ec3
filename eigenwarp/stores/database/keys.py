"""API keys."""

from datetime import datetime

from sqlalchemy import insert, select, update

from eigenwarp.errors import KeyUnknownError
from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.records import KeyRecord
from eigenwarp.stores.database.row import TableRow
from eigenwarp.stores.database.tables import api_keys
from eigenwarp.stores.database.transactions import Transactions


class KeyRepository:
    """Keys by id. A revoked key stays, so that the audit trail's callers keep their names."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, key: KeyRecord) -> None:
        """Keep a new key; its id must be one that nobody has."""
        with self._transactions.write() as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    name=key.name,
                    secret_hash=key.secret_hash,
                    scopes=key.scopes,
                    created_at=key.created_at,
                    expires_at=key.expires_at,
                    revoked_at=key.revoked_at,
                )
            )

    def get(self, key_id: str) -> KeyRecord:
        """A key, revoked or not.

        Raises:
            KeyUnknownError: none of that id.
        """
        with self._transactions.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
        if row is None:
            raise KeyUnknownError(f"no API key {key_id!r}")
        return _record(row)

    def list(self) -> list[KeyRecord]:
        """All, the oldest first."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)).all()
        return [_record(row) for row in rows]

    def revoke(self, key_id: str, now: datetime | None = None) -> KeyRecord:
        """From now on it is refused. A key that is revoked keeps its time.

        Raises:
            KeyUnknownError: none of that id.
        """
        statement = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        with self._transactions.write() as connection:
            connection.execute(statement.values(revoked_at=or_now(now)))
        return self.get(key_id)


def _record(row: TableRow) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        name=row.name,
        secret_hash=row.secret_hash,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
