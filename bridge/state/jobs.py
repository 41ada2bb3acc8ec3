"""Jobs: one for each series and set of instances."""

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.privacy import Vault
from bridge.state.database import Database
from bridge.state.job_states import GOING_ON, NOTHING_SENT, JobState, ResultState

_SERIES_LETTERS, _SET_LETTERS = 16, 12
_REPLACED = (*NOTHING_SENT, JobState.SKIPPED, JobState.FAILED)


@dataclass(frozen=True)
class JobRecord:
    """A job as it stands.

    Args:
        key: of the series and of the set of its instances.
        revision: of the series, from 1.
        failed_in: the state that a failed job was in.
        code, reason: why it failed or was skipped, or what it was put off for.
        notes: what steps leave for later ones: the service's job, the side.
        attempts: of the present step, failed in a row.
        generation: times that the service was asked anew, after a job there came to nothing.
    """

    key: str
    series: str
    revision: int
    images: int
    state: JobState
    failed_in: JobState | None
    rule: str | None
    code: str | None
    reason: str | None
    notes: Mapping[str, str]
    attempts: int
    generation: int
    next_at: float
    created_at: float
    updated_at: float


class JobTable:
    """Jobs. Each change of state names the state that it starts from, so that none is made twice."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def open(self, series: str) -> str | None:
        """A job for the instances that a series has now.

        Returns:
            Its key; None where these instances have had their job already.
        """
        now = time.time()
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT id FROM instance WHERE series = ? ORDER BY id", (series,)).fetchall()
            connection.execute("UPDATE series SET changed = 0, asked = 0 WHERE id = ?", (series,))
            instances = [row["id"] for row in rows]
            key = _key(series, instances)
            # Where its files had gone, they are here again, and go again.
            known = connection.execute("UPDATE job SET cleared = 0 WHERE key = ?", (key,)).rowcount
            if known or not instances:
                return None
            (last,) = connection.execute(
                "SELECT coalesce(max(revision), 0) FROM job WHERE series = ?", (series,)
            ).fetchone()
            waiting = ", ".join("?" for _ in _REPLACED)
            connection.execute(
                f"UPDATE job SET state = ?, updated_at = ? WHERE series = ? AND state IN ({waiting})",
                (JobState.SUPERSEDED, now, series, *_REPLACED),
            )
            connection.execute(
                "INSERT INTO job (key, series, revision, images, state, sealed, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, series, last + 1, len(instances), JobState.COMPLETE, self._sealed(None, {}), now, now),
            )
            connection.executemany("INSERT INTO job_instance VALUES (?, ?)", [(key, one) for one in instances])
        return key

    def due(self, now: float | None = None) -> list[str]:
        """Jobs that a step can be made for, longest waiting first."""
        states = ", ".join("?" for _ in GOING_ON)
        rows = self._database.rows(
            f"SELECT key FROM job WHERE state IN ({states}) AND next_at <= ? ORDER BY next_at",
            (*GOING_ON, time.time() if now is None else now),
        )
        return [row["key"] for row in rows]

    def get(self, key: str) -> JobRecord | None:
        """A job; a key's beginning does where it is of one alone."""
        rows = self._database.rows("SELECT * FROM job WHERE key LIKE ? || '%' LIMIT 2", (key,))
        return self._record(rows[0]) if len(rows) == 1 else None

    def all(self, state: JobState | None = None) -> list[JobRecord]:
        """Jobs, the latest first."""
        condition = "" if state is None else "WHERE state = ?"
        rows = self._database.rows(
            f"SELECT * FROM job {condition} ORDER BY created_at DESC", () if state is None else (state,)
        )
        return [self._record(row) for row in rows]

    def counts(self) -> dict[JobState, int]:
        """Jobs by state."""
        found = {
            row["state"]: row["n"] for row in self._database.rows("SELECT state, count(*) AS n FROM job GROUP BY 1")
        }
        return {state: found.get(state, 0) for state in JobState}

    def instances(self, key: str) -> list[str]:
        """Ids of the instances that a job is of."""
        return [
            row["instance"] for row in self._database.rows("SELECT instance FROM job_instance WHERE job = ?", (key,))
        ]

    def advance(
        self, job: JobRecord, state: JobState, *, rule: str | None = None, notes: Mapping[str, str] | None = None
    ) -> bool:
        """Into the next state.

        Returns:
            False where the job is no longer in the state that it was read in.
        """
        sealed = self._sealed(None, {**job.notes, **(notes or {})})
        return self._change(
            job,
            "state = ?, rule = coalesce(?, rule), sealed = ?, code = NULL, attempts = 0, next_at = 0",
            (state, rule, sealed),
        )

    def put_off(self, job: JobRecord, until: float, code: str | None, reason: str | None, attempts: int) -> bool:
        """Try the present step again later."""
        sealed = self._sealed(reason, job.notes)
        return self._change(job, "next_at = ?, code = ?, sealed = ?, attempts = ?", (until, code, sealed, attempts))

    def begin_anew(self, job: JobRecord, state: JobState, until: float, code: str, reason: str) -> bool:
        """Back to an earlier state, under another idempotency key."""
        return self._change(
            job,
            "state = ?, next_at = ?, code = ?, sealed = ?, attempts = attempts + 1, generation = generation + 1",
            (state, until, code, self._sealed(reason, job.notes)),
        )

    def end(self, job: JobRecord, state: JobState, code: str, reason: str, rule: str | None = None) -> bool:
        """Failed or skipped, and why."""
        return self._change(
            job,
            "state = ?, failed_in = ?, code = ?, sealed = ?, rule = coalesce(?, rule)",
            (state, job.state, code, self._sealed(reason, job.notes), rule),
        )

    def retry(self, job: JobRecord) -> bool:
        """A failed job goes on where it failed; a skipped one is looked at again, as under changed rules.

        Returns:
            False for a job that is neither.
        """
        if job.state not in (JobState.FAILED, JobState.SKIPPED):
            return False
        state = JobState.COMPLETE if job.state is JobState.SKIPPED else job.failed_in or JobState.COMPLETE
        if state is JobState.SUBMITTED:
            # The service's own job has failed for good: it is asked for another.
            state = JobState.CONVERTED
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE job SET state = ?, failed_in = NULL, code = NULL, attempts = 0, next_at = 0, updated_at = ?,"
                " generation = generation + 1 WHERE key = ? AND state = ?",
                (state, time.time(), job.key, job.state),
            ).rowcount
            connection.execute(
                "UPDATE result SET state = ?, attempts = 0, next_at = 0, code = NULL WHERE job = ? AND state = ?",
                (ResultState.MADE, job.key, ResultState.FAILED),
            )
        return changed == 1

    def old(self, states: Sequence[JobState], before: float) -> list[tuple[str, str]]:
        """Keys and series of jobs that have files and were last changed before a moment."""
        rows = self._database.rows(
            f"SELECT key, series FROM job WHERE cleared = 0 AND updated_at < ?"
            f" AND state IN ({', '.join('?' for _ in states)})",
            (before, *states),
        )
        return [(row["key"], row["series"]) for row in rows]

    def clear(self, key: str) -> None:
        """Its files are gone."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE job SET cleared = 1 WHERE key = ?", (key,))

    def _change(self, job: JobRecord, assignments: str, values: Sequence[object]) -> bool:
        with self._database.transaction() as connection:
            done = connection.execute(
                f"UPDATE job SET {assignments}, updated_at = ? WHERE key = ? AND state = ?",
                (*values, time.time(), job.key, job.state),
            )
        return done.rowcount == 1

    def _sealed(self, reason: str | None, notes: Mapping[str, str]) -> bytes:
        return self._vault.seal(json.dumps({"reason": reason, "notes": dict(notes)}).encode())

    def _record(self, row: sqlite3.Row) -> JobRecord:
        opened = json.loads(self._vault.open(row["sealed"]))
        return JobRecord(
            key=row["key"],
            series=row["series"],
            revision=row["revision"],
            images=row["images"],
            state=JobState(row["state"]),
            failed_in=None if row["failed_in"] is None else JobState(row["failed_in"]),
            rule=row["rule"],
            code=row["code"],
            reason=opened["reason"],
            notes=opened["notes"],
            attempts=row["attempts"],
            generation=row["generation"],
            next_at=row["next_at"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


def _key(series: str, instances: Sequence[str]) -> str:
    """The same series with the same instances has the same key, in whatever order they came."""
    digest = hashlib.sha256("\n".join(sorted(instances)).encode()).hexdigest()
    return f"{series[:_SERIES_LETTERS]}-{digest[:_SET_LETTERS]}"
