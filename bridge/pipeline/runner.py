"""Takes every job as far as it goes, several at a time, and opens jobs for series that have become whole."""

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bridge.pipeline.collecting import collect
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.converting import convert
from bridge.pipeline.delivering import confirm, deliver
from bridge.pipeline.making import make
from bridge.pipeline.outcome import Advance, Anew, GiveUp, Outcome, Skip, Wait
from bridge.pipeline.passing import may_pass
from bridge.pipeline.selecting import select
from bridge.pipeline.submitting import submit
from bridge.state.job_states import GOING_ON, JobState
from bridge.state.jobs import JobRecord
from eigenwarp.errors import EigenwarpError
from eigenwarp.log import get_logger, log_context

Step = Callable[[PipelineContext, JobRecord], Outcome]

STEPS: Final[Mapping[JobState, Step]] = {
    JobState.COMPLETE: select,
    JobState.SELECTED: convert,
    JobState.CONVERTED: submit,
    JobState.SUBMITTED: collect,
    JobState.COMPUTED: make,
    JobState.MADE: deliver,
    JobState.DELIVERED: confirm,
}
_DEFECT: Final = "defect"
_TICK_SECONDS: Final = 0.2
_log = get_logger(__name__)


class Runner:
    """One thread that looks what is due, and some that work.

    Args:
        context: what steps work with.
    """

    def __init__(self, context: PipelineContext) -> None:
        self._context = context
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._in_hand: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(context.config.workers, thread_name_prefix="step")
        self._thread = threading.Thread(target=self._run, name="runner")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Steps in hand are ended; the rest goes on at the next start."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._pool.shutdown(wait=True)

    @property
    def is_alive(self) -> bool:
        """Whether it still looks."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._open_jobs()
                self._hand_out()
            except EigenwarpError as error:
                _log.error("the state does not answer", reason=error.code)
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()

    def _open_jobs(self) -> None:
        complete, state = self._context.config.complete, self._context.state
        for series in state.series.whole(complete.quiet_seconds, complete.use_count):
            key = state.jobs.open(series)
            if key is not None:
                _log.info("series complete", job=key)

    def _hand_out(self) -> None:
        with self._lock:
            free = self._context.config.workers - len(self._in_hand)
        if free <= 0:
            return
        for key in self._context.state.jobs.due():
            with self._lock:
                if key in self._in_hand:
                    continue
                self._in_hand.add(key)
            self._pool.submit(self._work, key)
            free -= 1
            if free == 0:
                return

    def _work(self, key: str) -> None:
        try:
            with log_context(bridge_job=key):
                while not self._stop.is_set() and self._step(key):
                    pass
        finally:
            with self._lock:
                self._in_hand.discard(key)
            self._wake.set()

    def _step(self, key: str) -> bool:
        """One step.

        Returns:
            Whether another can follow at once.
        """
        job = self._context.state.jobs.get(key)
        if job is None or job.state not in GOING_ON or job.next_at > time.time():
            return False
        try:
            with self._context.metrics.steps.labels(job.state).time():
                outcome = STEPS[job.state](self._context, job)
        except EigenwarpError as error:
            outcome = self._failed(job, error)
        except Exception as error:
            # A message or a value in it may be a patient's: only where it happened is told.
            places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
            _log.error("a defect", state=job.state, error=type(error).__name__, places=places[-6:])
            outcome = GiveUp(_DEFECT, f"{type(error).__name__} in {places[-1]}")
        return self._apply(job, outcome)

    def _failed(self, job: JobRecord, error: EigenwarpError) -> Outcome:
        if not may_pass(error) or job.attempts + 1 >= self._context.config.retry.attempts:
            return GiveUp(error.code, error.detail)
        self._context.metrics.failures.labels(job.state, error.code).inc()
        pause = self._context.config.retry.pause(job.attempts + 1)
        _log.warning("put off", state=job.state, reason=error.code, attempt=job.attempts + 1, seconds=pause)
        self._context.state.jobs.put_off(job, time.time() + pause, error.code, error.detail, job.attempts + 1)
        return Wait(0.0)

    def _apply(self, job: JobRecord, outcome: Outcome) -> bool:
        jobs = self._context.state.jobs
        if isinstance(outcome, Advance):
            _log.info("advanced", state=outcome.state, revision=job.revision)
            return jobs.advance(job, outcome.state, rule=outcome.rule, notes=outcome.notes)
        if isinstance(outcome, Wait):
            if outcome.seconds > 0:
                jobs.put_off(job, time.time() + outcome.seconds, job.code, job.reason, job.attempts)
            return False
        if isinstance(outcome, Anew):
            return self._begin_anew(job, outcome)
        if isinstance(outcome, Skip):
            _log.info("skipped", reason=outcome.code)
            jobs.end(job, JobState.SKIPPED, outcome.code, outcome.reason)
            return False
        self._context.metrics.failures.labels(job.state, outcome.code).inc()
        _log.error("given up", state=job.state, reason=outcome.code)
        jobs.end(job, JobState.FAILED, outcome.code, outcome.reason)
        return False

    def _begin_anew(self, job: JobRecord, outcome: Anew) -> bool:
        retry = self._context.config.retry
        if job.generation + 1 >= retry.attempts:
            return self._apply(job, GiveUp(outcome.code, outcome.reason))
        self._context.metrics.failures.labels(job.state, outcome.code).inc()
        until = time.time() + retry.pause(job.generation + 1)
        self._context.state.jobs.begin_anew(job, outcome.state, until, outcome.code, outcome.reason)
        return False
