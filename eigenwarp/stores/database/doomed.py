"""Objects that nothing refers to any more, remembered until they are deleted."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select

from eigenwarp.stores.database.clock import or_now
from eigenwarp.stores.database.records import DoomedObject
from eigenwarp.stores.database.tables import doomed_objects
from eigenwarp.stores.database.transactions import Transactions


class DoomedRepository:
    """What is still to be deleted from the object store.

    A row is written in the transaction that gives the object up, and forgotten after the object is deleted; a crash in
    between means that it is deleted again.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def due(self, limit: int = 1000, now: datetime | None = None) -> list[DoomedObject]:
        """Those to be deleted now, the longest due first."""
        statement = (
            select(doomed_objects)
            .where(doomed_objects.c.due_at <= or_now(now))
            .order_by(doomed_objects.c.due_at, doomed_objects.c.id)
            .limit(limit)
        )
        with self._transactions.read() as connection:
            return [DoomedObject(id=row.id, key=row.key, due_at=row.due_at) for row in connection.execute(statement)]

    def forget(self, doomed: Iterable[DoomedObject]) -> None:
        """They are deleted."""
        ids = [one.id for one in doomed]
        if not ids:
            return
        with self._transactions.write() as connection:
            for start in range(0, len(ids), 500):
                connection.execute(delete(doomed_objects).where(doomed_objects.c.id.in_(ids[start : start + 500])))
