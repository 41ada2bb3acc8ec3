"""Jobs: followed, listed, cancelled."""

from collections.abc import Iterator
from datetime import datetime

from eigenwarp.client.failures import PassingFailure
from eigenwarp.client.transport import Transport
from eigenwarp.client.waiting import ProgressCallback, Waiting
from eigenwarp.schemas.jobs import FINAL_STATES, JobEvent, JobPage, JobRow, JobState
from eigenwarp.schemas.requests import JobKind

Job = str | JobRow
"""A job or its id."""


class JobCalls:
    """The part of ``Client`` about jobs."""

    _transport: Transport

    def job(self, job: Job) -> JobRow:
        """A job as it stands; one that failed has the problem inside.

        Raises:
            JobUnknownError: no such job.
        """
        return self._transport.document(JobRow, "GET", f"/jobs/{job_id(job)}")

    def wait(self, job: Job, progress: ProgressCallback | None = None, timeout: float | None = None) -> JobRow:
        """Wait until a job has ended; restarts of the service in between are waited through.

        Args:
            progress: called with each event.
            timeout: seconds; for ever by default.

        Raises:
            NotReadyError: it still goes on after ``timeout``.
            JobCancelledError: it was cancelled.
            EigenwarpError: what it failed with.
        """
        return Waiting(self._transport, job_id(job), progress, timeout).run()

    def events(self, job: Job) -> Iterator[JobEvent]:
        """Everything that happens to a job, from its beginning to its end, as it happens.

        Raises:
            StoreUnavailableError: the service cannot tell at present; ``wait`` can do without.
        """
        patience = self._transport.patience()
        waiting = Waiting(self._transport, job_id(job))
        while True:
            try:
                for event in waiting.events():
                    patience.renew()
                    yield event
                    if event.state in FINAL_STATES:
                        return
            except PassingFailure as failure:
                if not patience.pause(failure.retry_after):
                    raise failure.error from None
            else:
                # An orderly end before the job's own, as at a restart of the service.
                if self.job(job).state in FINAL_STATES:
                    return
                patience.pause()

    def cancel(self, job: Job) -> JobRow:
        """Ask for a job to stop; a running one stops at its next stage.

        Raises:
            JobFinishedError: it has ended otherwise.
        """
        return self._transport.document(JobRow, "POST", f"/jobs/{job_id(job)}/cancel")

    def jobs(
        self,
        *,
        kind: JobKind | None = None,
        state: JobState | None = None,
        subject: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> Iterator[JobRow]:
        """Jobs, newest first; pages are asked for as they are needed."""
        filters: dict[str, str | int | float] = {}
        for name, value in (("kind", kind), ("state", state), ("subject", subject)):
            if value is not None:
                filters[name] = value
        for name, time in (("created_after", created_after), ("created_before", created_before)):
            if time is not None:
                filters[name] = time.isoformat()
        cursor: str | None = None
        while True:
            asked = filters if cursor is None else {**filters, "cursor": cursor}
            page = self._transport.document(JobPage, "GET", "/jobs", params=asked)
            yield from page.jobs
            if page.next is None:
                return
            cursor = page.next


def job_id(job: Job) -> str:
    """The id of a job that is given by its row or its id."""
    return job.id if isinstance(job, JobRow) else job
