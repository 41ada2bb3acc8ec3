"""Columns that hold times in UTC and documents as JSON, in the same way in both databases."""

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from eigenwarp.stores.database.clock import in_utc


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC to the microsecond. SQLite has no zones: there the text is UTC's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC; a naive time is refused, for nobody could tell what it means."""
        return None if value is None else in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC, whatever zone the session has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonDocument(TypeDecorator[Any]):
    """A pydantic document as JSON text, checked again when it is read.

    Args:
        adapter: of the document's type.
    """

    impl = Text
    # The adapter says nothing about the SQL, so one statement serves all.
    cache_ok = True

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        super().__init__()
        self._adapter = adapter

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """JSON. Numbers that JSON has no word for keep their names, so that they come back as they were."""
        if value is None:
            return None
        # By way of Python's own values: documents leave for callers with null in their place.
        return to_json(self._adapter.dump_python(value), inf_nan_mode="constants").decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The document."""
        return None if value is None else self._adapter.validate_json(value)
