"""Series that arrive, instance by instance, and the moment at which each is whole."""

import json
import time
from dataclasses import dataclass

from bridge.privacy import Vault
from bridge.state.database import Database


@dataclass(frozen=True)
class SeriesIdentity:
    """What a series is called in the hospital. Never leaves the bridge, nor enters a log."""

    study_uid: str
    series_uid: str


@dataclass(frozen=True)
class NewInstance:
    """An instance whose file is on the disk.

    Args:
        id, series: pseudonyms of its UIDs.
        bytes: of the file.
        expected: images that the series is to have, where the instance says so.
    """

    id: str
    series: str
    identity: SeriesIdentity
    bytes: int
    expected: int | None


@dataclass(frozen=True)
class SeriesRecord:
    """A series as far as it has come."""

    id: str
    identity: SeriesIdentity
    images: int
    expected: int | None
    last_at: float
    changed: bool


class SeriesTable:
    """Series and their instances."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def add(self, instance: NewInstance, now: float | None = None) -> bool:
        """Remember an instance; on the disk when this returns.

        Returns:
            False for one that was there already, which changes nothing: a duplicate keeps no series from being whole.
        """
        at = time.time() if now is None else now
        with self._database.transaction() as connection:
            if connection.execute("SELECT 1 FROM instance WHERE id = ?", (instance.id,)).fetchone():
                return False
            sealed = self._vault.seal(json.dumps(vars(instance.identity)).encode())
            connection.execute(
                "INSERT INTO series (id, sealed, expected, last_at, changed) VALUES (?, ?, ?, ?, 1)"
                " ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at, changed = 1,"
                " expected = coalesce(excluded.expected, expected)",
                (instance.series, sealed, instance.expected, at),
            )
            connection.execute(
                "INSERT INTO instance (id, series, bytes, received_at) VALUES (?, ?, ?, ?)",
                (instance.id, instance.series, instance.bytes, at),
            )
        return True

    def holds(self, instance: str) -> bool:
        """Whether an instance has come."""
        return bool(self._database.rows("SELECT 1 FROM instance WHERE id = ?", (instance,)))

    def ask(self, series: str) -> bool:
        """Take a series to be whole, whatever is still to come.

        Returns:
            False where nothing is known of it.
        """
        with self._database.transaction() as connection:
            return connection.execute("UPDATE series SET asked = 1, changed = 1 WHERE id = ?", (series,)).rowcount == 1

    def whole(self, quiet_seconds: float, use_count: bool, now: float | None = None) -> list[str]:
        """Series with instances that no job has seen yet, and of which no more are waited for."""
        at = time.time() if now is None else now
        rows = self._database.rows(
            "SELECT id FROM series WHERE changed = 1 AND (asked = 1 OR last_at <= ? OR (? AND expected ="
            " (SELECT count(*) FROM instance WHERE instance.series = series.id))) ORDER BY last_at",
            (at - quiet_seconds, use_count),
        )
        return [row["id"] for row in rows]

    def get(self, series: str) -> SeriesRecord | None:
        """A series, if anything is known of it."""
        found = self._select("WHERE series.id = ?", (series,))
        return found[0] if found else None

    def arriving(self) -> list[SeriesRecord]:
        """Series that wait for more."""
        return self._select("WHERE changed = 1 ORDER BY last_at", ())

    def held(self) -> list[SeriesRecord]:
        """Series whose instances are here."""
        return self._select("WHERE EXISTS (SELECT 1 FROM instance WHERE instance.series = series.id)", ())

    def instances(self, series: str) -> list[str]:
        """Ids of what has come of a series."""
        return [row["id"] for row in self._database.rows("SELECT id FROM instance WHERE series = ?", (series,))]

    def forget(self, series: str, before: float) -> bool:
        """Instances of a series that nothing has changed in since a moment, and that no job still needs.

        Returns:
            Whether they were forgotten: their files may go.
        """
        with self._database.transaction() as connection:
            waits = connection.execute(
                "SELECT 1 FROM series WHERE id = ? AND (changed = 1 OR last_at >= ?) UNION ALL SELECT 1 FROM job"
                " WHERE series = ? AND (state NOT IN ('confirmed', 'skipped', 'superseded') OR updated_at >= ?)",
                (series, before, series, before),
            ).fetchone()
            if waits:
                return False
            connection.execute("DELETE FROM instance WHERE series = ?", (series,))
        return True

    def _select(self, condition: str, values: tuple[object, ...]) -> list[SeriesRecord]:
        statement = "SELECT *, (SELECT count(*) FROM instance WHERE instance.series = series.id) AS images FROM series "
        return [
            SeriesRecord(
                id=row["id"],
                identity=SeriesIdentity(**json.loads(self._vault.open(row["sealed"]))),
                images=row["images"],
                expected=row["expected"],
                last_at=row["last_at"],
                changed=bool(row["changed"]),
            )
            for row in self._database.rows(statement + condition, values)
        ]
