"""Waiting for a job: its event stream while that holds, asking again and again where it does not."""

import time
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from eigenwarp.client.events import parse_events
from eigenwarp.client.failures import PassingFailure, failures
from eigenwarp.client.problems import error_of_problem
from eigenwarp.client.transport import Transport
from eigenwarp.errors import (
    EigenwarpError,
    JobCancelledError,
    NotReadyError,
    ServiceError,
    StoreUnavailableError,
)
from eigenwarp.schemas.jobs import FINAL_STATES, JobEvent, JobRow

ProgressCallback = Callable[[JobEvent], None]

_SILENCE_S = 40.0
_BROKEN_STREAMS = 3
_SHORTEST_POLL_S, _LONGEST_POLL_S = 0.1, 2.0


class Waiting:
    """One wait for one job.

    Args:
        progress: called with each event, in order; a repeated connection repeats none.
        timeout: seconds after which waiting ends; None for never. The job goes on.
    """

    def __init__(
        self, transport: Transport, job_id: str, progress: ProgressCallback | None = None, timeout: float | None = None
    ) -> None:
        self._transport = transport
        self._job_id = job_id
        self._progress = progress
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._shown: tuple[object, ...] | None = None
        self._last_id: str | None = None

    def run(self) -> JobRow:
        """The finished job.

        Raises:
            NotReadyError: it is still going on after ``timeout``.
            EigenwarpError: what it failed with; ``JobCancelledError`` where it was cancelled; as ``Transport.call``.
        """
        row = self._row()
        if row.state not in FINAL_STATES:
            self._follow()
            row = self._poll()
        self._show(event_of(row))
        return succeeded(row)

    def events(self) -> Iterator[JobEvent]:
        """Events from ``Last-Event-ID`` on until the stream ends or breaks.

        Raises:
            PassingFailure: it broke.
            EigenwarpError: as ``Transport.stream``.
        """
        path = f"/jobs/{self._job_id}/events"
        headers = {"Accept": "text/event-stream"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        silence = _SILENCE_S if self._deadline is None else max(min(_SILENCE_S, self._deadline - time.monotonic()), 0.1)
        with self._transport.stream("GET", path, headers=headers, timeout=silence) as response, failures("GET", path):
            for found in parse_events(response.iter_lines()):
                self._require_time()
                if found is None:
                    continue
                # Events that the service read from its database have none.
                self._last_id = found.id or self._last_id
                try:
                    event = JobEvent.model_validate_json(found.data)
                except ValidationError:
                    raise ServiceError(f"GET {path}: an event that is no JobEvent") from None
                yield event
                if event.state in FINAL_STATES:
                    return

    def _follow(self) -> None:
        """Show events until the job has ended or its stream has broken several times in a row."""
        broken, patience = 0, self._transport.patience()
        while broken < _BROKEN_STREAMS:
            self._require_time()
            try:
                for event in self.events():
                    broken = 0
                    patience.renew()
                    self._show(event)
                    if event.state in FINAL_STATES:
                        return
            except PassingFailure as failure:
                # Without Redis there are no events, and the job's row is as good.
                if isinstance(failure.error, StoreUnavailableError) or not patience.pause(failure.retry_after):
                    return
            broken += 1

    def _poll(self) -> JobRow:
        pause = _SHORTEST_POLL_S
        while True:
            row = self._row()
            if row.state in FINAL_STATES:
                return row
            self._show(event_of(row))
            self._require_time()
            time.sleep(pause)
            pause = min(1.5 * pause, _LONGEST_POLL_S)

    def _row(self) -> JobRow:
        return self._transport.document(JobRow, "GET", f"/jobs/{self._job_id}")

    def _show(self, event: JobEvent) -> None:
        told = event.state, event.progress, event.attempt
        if self._progress is not None and told != self._shown:
            self._progress(event)
        self._shown = told

    def _require_time(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise NotReadyError(f"job {self._job_id} goes on after {self._timeout:g} s of waiting")


def event_of(row: JobRow) -> JobEvent:
    """What a job's row says, as an event."""
    at = row.finished_at or row.started_at or row.created_at
    return JobEvent(job=row.id, state=row.state, progress=row.progress, attempt=row.attempt, at=at)


def succeeded(row: JobRow) -> JobRow:
    """A finished job, if it succeeded.

    Raises:
        EigenwarpError: what it failed with.
        JobCancelledError: it was cancelled.
    """
    if row.state == "cancelled":
        raise JobCancelledError(f"job {row.id} was cancelled")
    if row.state == "failed":
        raise _failure(row)
    return row


def _failure(row: JobRow) -> EigenwarpError:
    if row.problem is None:
        return ServiceError(f"job {row.id} failed and does not say why")
    return error_of_problem(row.problem)
