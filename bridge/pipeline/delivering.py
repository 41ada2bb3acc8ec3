"""made → delivered → confirmed: each object with a budget of its own; delivered means found again by a query."""

import time
from io import BytesIO

from pydicom import dcmread

from bridge.archive.commitment import request_commitment
from bridge.archive.opening import own_title
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.outcome import Advance, GiveUp, Outcome, Wait
from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError
from bridge.state.job_states import JobState, ResultState
from bridge.state.jobs import JobRecord
from bridge.state.results import ResultRecord
from eigenwarp.log import get_logger

_NOT_CONFIRMED = "not-confirmed"
_log = get_logger(__name__)


def object_name(result: str) -> str:
    """Of an object's file in its job's folder."""
    return f"object-{result}"


def deliver(context: PipelineContext, job: JobRecord) -> Outcome:
    """Hand over what has not been handed over yet."""
    for result in context.state.results.of(job.key):
        if result.state is ResultState.MADE and result.next_at <= time.time():
            _send(context, job, result)
    results = context.state.results.of(job.key)
    waiting = [result.next_at for result in results if result.state is ResultState.MADE]
    if waiting:
        return Wait(max(min(waiting) - time.time(), 0.0))
    failed = [result for result in results if result.state is ResultState.FAILED]
    if failed:
        kinds = ", ".join(f"{result.kind} ({result.code})" for result in failed)
        return GiveUp("delivery-failed", f"{len(failed)} of {len(results)} objects were not delivered: {kinds}")
    return Advance(JobState.DELIVERED)


def confirm(context: PipelineContext, job: JobRecord) -> Outcome:
    """Ask the archive for each object; what it does not list is sent again."""
    for result in context.state.results.of(job.key):
        if result.state is not ResultState.DELIVERED:
            continue
        identity = result.identity
        if identity.sop_instance_uid in context.archive.held(identity.study_uid, identity.series_uid):
            context.state.results.set(result, ResultState.CONFIRMED)
        else:
            _miss(context, result, _NOT_CONFIRMED)
    results = context.state.results.of(job.key)
    if any(result.state is not ResultState.CONFIRMED for result in results):
        return Advance(JobState.MADE)
    _ask_for_commitment(context, job, results)
    return Advance(JobState.CONFIRMED)


def _send(context: PipelineContext, job: JobRecord, result: ResultRecord) -> None:
    dataset = dcmread(BytesIO(context.read(job, object_name(result.id))))
    try:
        context.archive.store(dataset)
    except (ArchiveUnreachableError, ArchiveRefusedError) as error:
        _log.warning("object not delivered", kind=result.kind, reason=error.code, attempt=result.attempts + 1)
        _miss(context, result, error.code)
    else:
        context.state.results.set(result, ResultState.DELIVERED)


def _miss(context: PipelineContext, result: ResultRecord, code: str) -> None:
    retry = context.config.retry
    is_last = result.attempts + 1 >= retry.attempts
    context.metrics.failures.labels(JobState.MADE, code).inc()
    context.state.results.miss(
        result,
        ResultState.FAILED if is_last else ResultState.MADE,
        code,
        time.time() + retry.pause(result.attempts + 1),
    )


def _ask_for_commitment(context: PipelineContext, job: JobRecord, results: list[ResultRecord]) -> None:
    entity = context.config.commitment
    if entity is None or all(result.committed_at is not None for result in results):
        return
    instances = [(result.identity.sop_class_uid, result.identity.sop_instance_uid) for result in results]
    try:
        request_commitment(entity, own_title(context.config), instances)
    except ArchiveRefusedError as error:
        # It is more than the query has shown already, and not every archive offers it.
        _log.warning("no storage commitment", reason=error.code)
