"""Holding on to a claimed job, and hearing that it is to end."""

import time
from threading import Event, Thread
from types import TracebackType
from typing import Self

from eigenwarp.errors import (
    JobCancelledError,
    JobUnknownError,
    LeaseLostError,
    StoreUnavailableError,
    TimeLimitError,
)
from eigenwarp.log import get_logger, log_context
from eigenwarp.schemas.jobs import Progress
from eigenwarp.schemas.problem_types import problem_of
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Claim
from eigenwarp.stores.database.jobs import JobRepository

_log = get_logger(__name__)
_GRACE_SECONDS = 10.0
# How soon a cancellation is heard of, at the cost of a write each.
_FRESH_SECONDS = 1.0


class Lease:
    """Renewed by a thread of its own for the time of a ``with`` block.

    ``check`` is where the job's thread hears that it was cancelled, is another worker's by now, or takes too long.
    A database that is away ends nothing: the job goes on, and its result counts if nobody has taken it over.

    Args:
        claim: of the job.
        grace_seconds: a job whose own thread has not noticed the limit so long after it hangs in a call that does not
            return: it is ended in its stead, before Celery kills the process.
    """

    def __init__(
        self, jobs: JobRepository, claim: Claim, settings: Settings, grace_seconds: float = _GRACE_SECONDS
    ) -> None:
        self.claim = claim
        self._jobs = jobs
        self._seconds = settings.lease_seconds
        self._limit = settings.job_seconds
        self._grace = grace_seconds
        self._interval = settings.lease_seconds / 3
        self._began = self._renewed = time.monotonic()
        self._progress: Progress | None = None
        self._cancelled = False
        self._lost = False
        self._stop = Event()
        self._thread = Thread(target=self._hold, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def deadline(self) -> float:
        """When the job's time is over, on the monotonic clock."""
        return self._began + self._limit

    def tell(self, progress: Progress) -> None:
        """How far the job is; kept with the next renewal, which is now if the last one is some time ago."""
        self._progress = progress
        if time.monotonic() - self._renewed > min(_FRESH_SECONDS, self._interval):
            self._renew()
        self.check()

    def confirm(self) -> None:
        """Renew now: what follows is done only if nobody has asked for the job's end until this very moment.

        Raises:
            EigenwarpError: as ``check``.
        """
        self._renew()
        self.check()

    def check(self) -> None:
        """Returns while the job is to go on.

        Raises:
            LeaseLostError: it is another worker's, or has ended.
            JobCancelledError: its cancellation was asked for.
            TimeLimitError: it has run for longer than the limit.
        """
        if self._lost:
            raise LeaseLostError(f"job {self.claim.job.id} is another worker's, or has ended")
        if self._cancelled:
            raise JobCancelledError(f"job {self.claim.job.id} was cancelled")
        if time.monotonic() > self.deadline:
            raise TimeLimitError(f"the job ran for longer than {self._limit:g} s")

    def _hold(self) -> None:
        with log_context(job_id=self.claim.job.id):
            while not self._stop.wait(self._interval):
                try:
                    self._renew()
                    if time.monotonic() > self.deadline + self._grace:
                        self._end_hanging()
                except Exception:
                    _log.exception("renewing the lease failed")

    def _renew(self) -> None:
        if self._lost:
            return
        try:
            asked = self._jobs.renew(self.claim.job.id, self.claim.token, self._seconds, self._progress)
        except (LeaseLostError, JobUnknownError):
            self._lost = True
        except StoreUnavailableError as error:
            _log.warning("the lease was not renewed", reason=error.detail)
        else:
            self._renewed = time.monotonic()
            self._cancelled = self._cancelled or asked

    def _end_hanging(self) -> None:
        """The process is about to be killed: say why, in its stead."""
        problem = problem_of(TimeLimitError(f"the job ran for longer than {self._limit:g} s"), self.claim.job.id)
        try:
            self._jobs.fail(self.claim.job.id, self.claim.token, problem)
        except (LeaseLostError, StoreUnavailableError):
            return
        self._lost = True
