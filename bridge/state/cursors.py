"""How far each watch has looked."""

from bridge.state.database import Database


class CursorTable:
    """Positions by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        """None before the first look."""
        rows = self._database.rows("SELECT value FROM cursor WHERE name = ?", (name,))
        return rows[0]["value"] if rows else None

    def set(self, name: str, value: str) -> None:
        """On the disk when this returns."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)", (name, value))
