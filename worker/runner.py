"""One job from claim to end. The database's row decides; a message is only a hint that there may be something to do."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from eigenwarp.errors import JobUnknownError, LeaseLostError, ModelUnknownError, StoreUnavailableError
from eigenwarp.log import get_logger, log_context
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.jobs import JobEvent, JobState, Progress
from eigenwarp.stores.database import Claim
from worker.failures import Fate, Verdict, is_broken_device, is_out_of_memory, judge
from worker.jobs import JobContext, compute
from worker.jobs.context import COMPUTED
from worker.lease import Lease
from worker.patience import Patience
from worker.stopping import WorkerStopping
from worker.workplace import Workplace
from worker.writing import attempt_prefix, write_results

_log = get_logger(__name__)
# Between two events of one stage.
_EVENT_SECONDS = 0.2


class JobRunner:
    """Runs jobs one after another.

    Args:
        place: what there is to work with.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._jobs = place.database.jobs
        self._settings = place.settings
        self.is_spent = False
        """Whether this process can do no further job, and another one should."""

    def run(self, job_id: str, worker: str) -> None:
        """Claim the job, do it and say what became of it; nothing where there is nothing to do.

        Whatever happens to the job is told in its row, so this raises only what ends the process.

        Args:
            worker: who we are, for people who look at the row.
        """
        with log_context(job_id=job_id):
            claim = self._claim(job_id, worker)
            if claim is None:
                _log.info("there is nothing to do for this message")
                return
            self._place.watch.look()
            clean_as_of = self._place.watch.epoch
            with Lease(self._jobs, claim, self._settings) as lease:
                self._settle(claim, self._attempt(claim, lease))
            self._place.codes.save()
            if self._place.watch.epoch != clean_as_of:
                # Something was erased meanwhile, and this job may have put it back into memory.
                self._place.memory.clear()

    def _claim(self, job_id: str, worker: str) -> Claim | None:
        seconds = self._settings.lease_seconds
        patience = Patience(time.monotonic() + seconds, self._place.stopping.check)
        try:
            return patience(lambda: self._jobs.claim(job_id, worker, seconds, self._settings.max_attempts))
        except StoreUnavailableError as error:
            _log.error("the job was not claimed; its row is found again", reason=error.detail)
        except WorkerStopping:
            pass
        return None

    def _attempt(self, claim: Claim, lease: Lease) -> Verdict | None:
        """What goes wrong, as a verdict: outside of it nothing holds on to what the failed computation held."""
        _log.info("begun", kind=claim.job.kind, attempt=claim.job.attempt, worker=claim.job.worker)
        self._publish(claim, "running")
        began = time.perf_counter()
        try:
            self._work(claim, lease)
        except (Exception, WorkerStopping) as error:
            verdict = judge(error, claim.job, self._settings.max_attempts, self._settings.job_seconds)
            _tell(error, verdict)
            self.is_spent = self.is_spent or is_broken_device(error)
            if not is_out_of_memory(error):
                return verdict
        else:
            _log.info("succeeded", seconds=round(time.perf_counter() - began, 3))
            return None
        self._place.free_memory()
        return verdict

    def _work(self, claim: Claim, lease: Lease) -> None:
        def check() -> None:
            self._place.stopping.check()
            lease.check()

        patience = Patience(lease.deadline, check)
        teller = _Teller(partial(self._publish, claim, "running"), lease)
        context = JobContext(partial(self._model, claim), self._place.reader, patience, teller)
        with self._place.stopping.breakable():
            outcome = compute(claim.job.request, context)
        if outcome.results:
            teller("write", COMPUTED)
            # A job may be shorter than the time between two renewals, and still be cancelled.
            lease.confirm()
        artefacts = write_results(self._place.objects, claim, outcome.results, patience)
        lease.check()
        patience(
            lambda: self._jobs.succeed(
                claim.job.id,
                claim.token,
                artefacts,
                report=outcome.report,
                projection=outcome.projection,
                history=outcome.history,
            )
        )
        self._publish(claim, "succeeded")

    def _model(self, claim: Claim) -> RegistrationModel:
        if claim.job.model is None:
            raise ModelUnknownError(f"job {claim.job.id} is pinned to no model")
        return self._place.model(claim.job.model)

    def _settle(self, claim: Claim, verdict: Verdict | None) -> None:
        """Write down what becomes of a job that did not succeed."""
        if verdict is None:
            return
        if verdict.fate is Fate.FORGET:
            self._forget(claim)
            return
        job_id, token = claim.job.id, claim.token
        write: Callable[[], None]
        state: JobState = "queued"
        if verdict.problem is not None:
            state, write = "failed", partial(self._jobs.fail, job_id, token, verdict.problem)
        elif verdict.fate is Fate.CANCEL:
            state, write = "cancelled", partial(self._jobs.cancel_running, job_id, token)
        elif verdict.fate is Fate.RELEASE:
            write = partial(self._jobs.release, job_id, token)
        else:
            write = partial(self._jobs.retry_later, job_id, token)
        try:
            Patience(time.monotonic() + self._settings.lease_seconds, _never)(write)
        except LeaseLostError:
            self._forget(claim)
        except StoreUnavailableError as error:
            _log.error("what became of the job was not written; its lease expires", reason=error.detail)
        else:
            self._publish(claim, state)

    def _forget(self, claim: Claim) -> None:
        """The job is not ours: remove what this attempt wrote, unless that is the very result.

        A database that went away in the middle of an answer may have written what we then tried to write again.
        """
        try:
            try:
                job = self._jobs.get(claim.job.id)
            except JobUnknownError:
                job = None
            if job is not None and job.token == claim.token and job.state == "succeeded":
                self._publish(claim, "succeeded")
                return
            self._place.objects.delete_prefix(attempt_prefix(claim))
        except StoreUnavailableError as error:
            _log.warning("a lost attempt's files were not removed yet", reason=error.detail)

    def _publish(self, claim: Claim, state: JobState, progress: Progress | None = None) -> None:
        event = JobEvent(
            job=claim.job.id, state=state, progress=progress, attempt=claim.job.attempt, at=datetime.now(UTC)
        )
        self._place.events.publish(event)


class _Teller:
    """``OnStage`` of a job: to those who follow it, to its row, and back to the job that it is to end."""

    def __init__(self, publish: Callable[[Progress], None], lease: Lease) -> None:
        self._publish = publish
        self._lease = lease
        self._stage = ""
        self._told = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        progress = Progress(stage=stage, fraction=min(max(fraction, 0.0), 1.0))
        now = time.monotonic()
        if stage != self._stage or now - self._told > _EVENT_SECONDS:
            self._publish(progress)
            self._stage, self._told = stage, now
        self._lease.tell(progress)


def _tell(error: BaseException, verdict: Verdict) -> None:
    """Into the log; the trace of what should not have happened."""
    if isinstance(error, StoreUnavailableError):
        _log.error("a store stays away", reason=error.detail, fate=verdict.fate.name)
    elif verdict.problem is not None and not verdict.problem.type.endswith("/internal"):
        _log.warning("failed", problem=verdict.problem.type, detail=verdict.problem.detail)
    elif verdict.fate in (Fate.RELEASE, Fate.CANCEL, Fate.FORGET):
        _log.info("broken off", fate=verdict.fate.name)
    else:
        _log.error("a defect", exc_info=error, fate=verdict.fate.name)


def _never() -> None:
    """Nothing ends this waiting but its time."""
