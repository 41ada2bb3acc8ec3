"""The audit trail: who accessed what, and when."""

from sqlalchemy import insert, select, tuple_

from eigenwarp.errors import OptionInvalidError
from eigenwarp.stores.database.cursor import make_cursor, read_cursor
from eigenwarp.stores.database.records import AuditEntry
from eigenwarp.stores.database.tables import audit
from eigenwarp.stores.database.transactions import Transactions


class AuditRepository:
    """Only grows. An erasure replaces the targets it erases, so write the entry of an erasure before erasing."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, entry: AuditEntry) -> None:
        """Write one entry."""
        with self._transactions.write() as connection:
            connection.execute(
                insert(audit).values(
                    at=entry.at,
                    caller=entry.caller,
                    action=entry.action,
                    target=entry.target,
                    outcome=entry.outcome,
                    request_id=entry.request_id,
                )
            )

    def page(
        self, *, caller: str | None = None, target: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[AuditEntry], str | None]:
        """Entries, newest first, and the next page's cursor.

        Raises:
            OptionInvalidError: a cursor that is none of ours.
        """
        statement = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit + 1)
        if caller is not None:
            statement = statement.where(audit.c.caller == caller)
        if target is not None:
            statement = statement.where(audit.c.target == target)
        if cursor is not None:
            at, number = read_cursor(cursor)
            if not number.isdecimal() or len(number) > 18:
                raise OptionInvalidError("cursor: not one that this service gave")
            statement = statement.where(tuple_(audit.c.at, audit.c.id) < (at, int(number)))
        with self._transactions.read() as connection:
            rows = connection.execute(statement).all()
        shown = rows[:limit]
        entries = [
            AuditEntry(
                at=row.at,
                caller=row.caller,
                action=row.action,
                target=row.target,
                outcome=row.outcome,
                request_id=row.request_id,
            )
            for row in shown
        ]
        return entries, make_cursor(shown[-1].at, str(shown[-1].id)) if len(rows) > limit else None
