"""Objects that were made for the archive, each with its own outcome."""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bridge.privacy import Vault
from bridge.state.database import Database
from bridge.state.job_states import ResultState


@dataclass(frozen=True)
class ObjectIdentity:
    """What an object is called in the archive."""

    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class NewResult:
    """An object whose file is on the disk.

    Args:
        id, series: pseudonyms of its UIDs.
        kind: of the rule's outputs.
    """

    id: str
    series: str
    kind: str
    identity: ObjectIdentity


@dataclass(frozen=True)
class ResultRecord:
    """An object as it stands.

    Args:
        attempts: of delivery, failed in a row.
        committed_at: when the archive took responsibility for it (storage commitment).
    """

    id: str
    job: str
    kind: str
    identity: ObjectIdentity
    state: ResultState
    code: str | None
    attempts: int
    next_at: float
    committed_at: float | None


class ResultTable:
    """Objects."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def replace(self, job: str, results: Sequence[NewResult]) -> None:
        """The objects of a job: what an earlier try left that this one did not make is forgotten."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM result WHERE job = ?", (job,))
            connection.executemany(
                "INSERT INTO result (id, job, series, kind, sealed, state) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        one.id,
                        job,
                        one.series,
                        one.kind,
                        self._vault.seal(json.dumps(asdict(one.identity)).encode()),
                        ResultState.MADE,
                    )
                    for one in results
                ],
            )

    def of(self, job: str) -> list[ResultRecord]:
        """A job's, in the order of their kinds."""
        return [
            self._record(row) for row in self._database.rows("SELECT * FROM result WHERE job = ? ORDER BY kind", (job,))
        ]

    def is_own(self, instance: str, series: str) -> bool:
        """Whether an instance, or its series, was made here."""
        return bool(self._database.rows("SELECT 1 FROM result WHERE id = ? OR series = ? LIMIT 1", (instance, series)))

    def set(self, result: ResultRecord, state: ResultState) -> None:
        """Delivered or confirmed."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE result SET state = ?, code = NULL, next_at = 0 WHERE id = ?", (state, result.id))

    def miss(self, result: ResultRecord, state: ResultState, code: str, next_at: float) -> None:
        """A try has failed: put off, or given up with ``state`` FAILED."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE result SET state = ?, code = ?, attempts = attempts + 1, next_at = ? WHERE id = ?",
                (state, code, next_at, result.id),
            )

    def committed(self, instance: str) -> bool:
        """The archive has taken responsibility.

        Returns:
            False for an object that is none of ours.
        """
        with self._database.transaction() as connection:
            return (
                connection.execute("UPDATE result SET committed_at = ? WHERE id = ?", (time.time(), instance)).rowcount
                == 1
            )

    def counts(self) -> dict[ResultState, int]:
        """Objects by state."""
        rows = self._database.rows("SELECT state, count(*) AS n FROM result GROUP BY 1")
        found = {row["state"]: row["n"] for row in rows}
        return {state: found.get(state, 0) for state in ResultState}

    def _record(self, row: sqlite3.Row) -> ResultRecord:
        return ResultRecord(
            id=row["id"],
            job=row["job"],
            kind=row["kind"],
            identity=ObjectIdentity(**json.loads(self._vault.open(row["sealed"]))),
            state=ResultState(row["state"]),
            code=row["code"],
            attempts=row["attempts"],
            next_at=row["next_at"],
            committed_at=row["committed_at"],
        )
