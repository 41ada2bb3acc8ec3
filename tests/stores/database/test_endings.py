"""How jobs end, in both databases."""

from functools import partial

import pytest

from eigenwarp.errors import JobFinishedError, JobUnknownError
from eigenwarp.schemas.jobs import Progress
from eigenwarp.schemas.requests import ProjectRequest
from eigenwarp.stores.database import Database, HistoryEntry
from tests.stores.database.conftest import Open
from tests.stores.database.racing import race
from tests.stores.database.samples import (
    ATTEMPTS,
    LEASE,
    NOON,
    add_volume,
    after,
    artefact,
    claim,
    failure,
    projection,
    report,
    running,
    submit,
    volume_id,
)


def test_a_success_keeps_results_report_and_projection(database: Database) -> None:
    held = running(database)
    database.jobs.renew(held.job.id, held.token, LEASE, Progress(stage="write", fraction=0.9))
    made = [artefact(held, name) for name in ("warped", "field", "report")]
    database.jobs.succeed(held.job.id, held.token, made, report=report(), projection=projection(), now=after(9))
    job = database.jobs.get(held.job.id)
    assert (job.state, job.finished_at, job.lease_until, job.progress) == ("succeeded", after(9), None, None)
    # In the order in which the worker gave them.
    assert job.artefacts == tuple(made)
    assert (job.report, job.projection, job.problem) == (report(), projection(), None)
    assert job.worker == "worker-1"


def test_numbers_that_json_has_no_word_for_come_back(database: Database) -> None:
    held = running(database)
    odd = report().model_copy(update={"timings_s": {"load": float("inf"), "write": float("-inf")}})
    database.jobs.succeed(held.job.id, held.token, [], report=odd)
    assert database.jobs.get(held.job.id).report == odd


def test_a_success_and_the_history_it_adds_to_appear_together(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    held = running(database, ProjectRequest(volume=volume_id(1), subject="S1"))
    assert database.subjects.history("S1") == []
    entry = HistoryEntry("S1", volume_id(1), after(-3600), projection())
    database.jobs.succeed(held.job.id, held.token, [], projection=projection(), history=entry, now=NOON)
    (row,) = database.subjects.history("S1")
    assert (row.job, row.volume, row.projection) == (held.job.id, volume_id(1), projection())
    assert (row.acquired_at, row.recorded_at) == (after(-3600), NOON)


def test_a_success_that_cannot_be_kept_whole_is_not_kept_at_all(database: Database) -> None:
    held = running(database)
    twice = [artefact(held, "field"), artefact(held, "field")]
    with pytest.raises(Exception, match=r"(?i)unique"):
        database.jobs.succeed(held.job.id, held.token, twice)
    job = database.jobs.get(held.job.id)
    assert (job.state, job.artefacts) == ("running", ())
    database.jobs.succeed(held.job.id, held.token, twice[:1])


def test_a_failure_says_why(database: Database) -> None:
    held = running(database)
    database.jobs.fail(held.job.id, held.token, failure(), now=after(2))
    job = database.jobs.get(held.job.id)
    assert (job.state, job.problem, job.finished_at, job.lease_until) == ("failed", failure(), after(2), None)


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel"])
def test_what_lost_attempts_wrote_is_deleted_later(database: Database, end: str) -> None:
    first = running(database, now=NOON)
    held = claim(database, first.job.id, now=after(LEASE + 1))
    moment = after(LEASE + 2)
    if end == "succeed":
        database.jobs.succeed(held.job.id, held.token, [artefact(held)], now=moment)
    elif end == "fail":
        database.jobs.fail(held.job.id, held.token, failure(), now=moment)
    else:
        database.jobs.cancel_running(held.job.id, held.token, now=moment)
    # The lost worker may be writing yet, so not at once.
    assert database.doomed.due(now=moment) == []
    doomed = {one.key for one in database.doomed.due(now=after(2 * 3600))}
    lost, own = (f"jobs/{held.job.id}/{token}/" for token in (1, 2))
    assert doomed == ({lost} if end == "succeed" else {lost, own})


def test_a_queued_job_is_cancelled_at_once(database: Database) -> None:
    job = submit(database, now=NOON)
    cancelled = database.jobs.request_cancel(job.id, now=after(1))
    assert (cancelled.state, cancelled.finished_at, cancelled.cancel_requested) == ("cancelled", after(1), True)
    assert database.jobs.claim(job.id, "worker-1", LEASE, ATTEMPTS) is None


def test_a_running_job_is_cancelled_by_its_worker(database: Database) -> None:
    held = running(database)
    asked = database.jobs.request_cancel(held.job.id)
    assert (asked.state, asked.cancel_requested) == ("running", True)
    assert database.jobs.renew(held.job.id, held.token, LEASE, None) is True
    database.jobs.cancel_running(held.job.id, held.token, now=after(4))
    job = database.jobs.get(held.job.id)
    assert (job.state, job.finished_at, job.problem) == ("cancelled", after(4), None)


def test_a_job_that_was_done_before_its_worker_noticed_has_succeeded(database: Database) -> None:
    held = running(database)
    database.jobs.request_cancel(held.job.id)
    database.jobs.succeed(held.job.id, held.token, [artefact(held)])
    assert database.jobs.get(held.job.id).state == "succeeded"


def test_cancelling_is_idempotent(database: Database) -> None:
    queued, held = submit(database), running(database)
    for job_id in (queued.id, held.job.id):
        assert database.jobs.request_cancel(job_id, now=NOON) == database.jobs.request_cancel(job_id, now=after(9))


def test_a_job_that_has_ended_cannot_be_cancelled(database: Database) -> None:
    done, failed = running(database), running(database)
    database.jobs.succeed(done.job.id, done.token, [])
    database.jobs.fail(failed.job.id, failed.token, failure())
    with pytest.raises(JobFinishedError, match="has succeeded"):
        database.jobs.request_cancel(done.job.id)
    with pytest.raises(JobFinishedError, match="has failed"):
        database.jobs.request_cancel(failed.job.id)
    with pytest.raises(JobUnknownError):
        database.jobs.request_cancel("job_" + "0" * 32)


def test_a_cancellation_and_a_claim_at_the_same_moment_lose_neither(url: str, opened: Open) -> None:
    one, other = opened(url), opened(url)
    for _ in range(8):
        job = submit(one)
        race(
            [
                partial(one.jobs.request_cancel, job.id),
                partial(other.jobs.claim, job.id, "worker-1", LEASE, ATTEMPTS),
            ]
        )
        found = one.jobs.get(job.id)
        assert found.cancel_requested
        assert (found.state, found.attempt) in (("cancelled", 0), ("running", 1))
