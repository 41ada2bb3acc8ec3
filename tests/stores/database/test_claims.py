"""One worker at a time on a job, by both databases."""

from collections.abc import Callable
from functools import partial

import pytest

from eigenwarp.errors import LeaseLostError
from eigenwarp.schemas.jobs import Progress
from eigenwarp.stores.database import Claim, Database, HistoryEntry
from tests.stores.database.conftest import Open
from tests.stores.database.racing import errors, race
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
    running,
    submit,
    volume_id,
)


def test_a_claim_begins_an_attempt(database: Database) -> None:
    job = submit(database, now=NOON)
    held = claim(database, job.id, now=after(5), worker="worker-7")
    assert held.token == held.job.token == 1
    assert (held.job.state, held.job.attempt, held.job.worker) == ("running", 1, "worker-7")
    assert (held.job.started_at, held.job.lease_until) == (after(5), after(5 + LEASE))
    assert database.jobs.get(job.id) == held.job


def test_of_many_workers_exactly_one_gets_a_job(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    for _ in range(5):
        job = submit(databases[0])
        outcomes = race([partial(databases[n % 4].jobs.claim, job.id, f"w{n}", LEASE, ATTEMPTS) for n in range(12)])
        assert errors(outcomes) == []
        winners = [outcome for outcome in outcomes if isinstance(outcome, Claim)]
        assert len(winners) == 1
        assert databases[0].jobs.get(job.id) == winners[0].job


def test_of_many_workers_exactly_one_takes_over_an_expired_lease(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    job = submit(databases[0], now=NOON)
    claim(databases[0], job.id, now=NOON)
    late = after(LEASE + 1)
    calls = [partial(databases[n % 4].jobs.claim, job.id, f"w{n}", LEASE, ATTEMPTS, now=late) for n in range(12)]
    winners = [outcome for outcome in race(calls) if isinstance(outcome, Claim)]
    assert [(held.token, held.job.attempt) for held in winners] == [(2, 2)]


def test_many_workers_share_many_jobs_without_loss(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    ids = [submit(databases[0]).id for _ in range(20)]

    def work(database: Database, worker: str) -> list[str]:
        done = []
        for job_id in ids:
            held = database.jobs.claim(job_id, worker, LEASE, ATTEMPTS)
            if held is not None:
                database.jobs.succeed(job_id, held.token, [])
                done.append(job_id)
        return done

    outcomes = race([partial(work, one, f"w{n}") for n, one in enumerate(databases)])
    assert errors(outcomes) == []
    assert sorted(job_id for done in outcomes if isinstance(done, list) for job_id in done) == sorted(ids)
    assert databases[0].jobs.counts() == {"queued": 0, "running": 0, "succeeded": 20, "failed": 0, "cancelled": 0}


def test_a_held_job_cannot_be_claimed_until_its_lease_ends(database: Database) -> None:
    held = running(database, now=NOON)
    assert database.jobs.claim(held.job.id, "other", LEASE, ATTEMPTS, now=after(LEASE - 0.001)) is None
    taken = database.jobs.claim(held.job.id, "other", LEASE, ATTEMPTS, now=after(LEASE))
    assert taken is not None
    assert (taken.token, taken.job.attempt, taken.job.worker) == (2, 2, "other")


def test_a_renewal_holds_the_job_and_shows_progress(database: Database) -> None:
    held = running(database, now=NOON)
    asked = database.jobs.renew(held.job.id, held.token, LEASE, Progress(stage="encode", fraction=0.25), now=after(20))
    assert asked is False
    job = database.jobs.get(held.job.id)
    assert (job.progress, job.lease_until) == (Progress(stage="encode", fraction=0.25), after(20 + LEASE))
    database.jobs.renew(held.job.id, held.token, LEASE, None, now=after(25))
    assert database.jobs.get(held.job.id).progress == job.progress
    assert database.jobs.claim(held.job.id, "other", LEASE, ATTEMPTS, now=after(LEASE + 10)) is None


def test_a_late_worker_keeps_a_job_that_nobody_took_over(database: Database) -> None:
    held = running(database, now=NOON)
    database.jobs.renew(held.job.id, held.token, LEASE, None, now=after(LEASE + 5))
    database.jobs.succeed(held.job.id, held.token, [], now=after(LEASE + 6))


STALE_WRITES: dict[str, Callable[[Database, Claim], object]] = {
    "renew": lambda database, held: database.jobs.renew(held.job.id, held.token, LEASE, None),
    "succeed": lambda database, held: database.jobs.succeed(
        held.job.id,
        held.token,
        [artefact(held)],
        projection=projection(),
        history=HistoryEntry("S1", volume_id(1), None, projection()),
    ),
    "fail": lambda database, held: database.jobs.fail(held.job.id, held.token, failure()),
    "cancel": lambda database, held: database.jobs.cancel_running(held.job.id, held.token),
    "release": lambda database, held: database.jobs.release(held.job.id, held.token),
    "retry_later": lambda database, held: database.jobs.retry_later(held.job.id, held.token),
}


def _taken_over(database: Database, held: Claim) -> None:
    claim(database, held.job.id, now=after(LEASE + 1), worker="other")


def _expired(database: Database, held: Claim) -> None:
    assert database.jobs.expire_leases(ATTEMPTS, now=after(LEASE + 1)) == [held.job.id]


def _succeeded_elsewhere(database: Database, held: Claim) -> None:
    other = claim(database, held.job.id, now=after(LEASE + 1), worker="other")
    database.jobs.succeed(other.job.id, other.token, [artefact(other)])


def _cancelled(database: Database, held: Claim) -> None:
    database.jobs.release(held.job.id, held.token)
    database.jobs.request_cancel(held.job.id)


@pytest.mark.parametrize("write", STALE_WRITES)
@pytest.mark.parametrize("lose", [_taken_over, _expired, _succeeded_elsewhere, _cancelled])
def test_a_worker_that_lost_its_job_can_change_nothing(
    database: Database, write: str, lose: Callable[[Database, Claim], None]
) -> None:
    add_volume(database, 1, subject="S1")
    held = running(database, now=NOON)
    lose(database, held)
    before = database.jobs.get(held.job.id)
    with pytest.raises(LeaseLostError, match=held.job.id):
        STALE_WRITES[write](database, held)
    assert database.jobs.get(held.job.id) == before
    assert database.subjects.history("S1") == []


@pytest.mark.parametrize("write", STALE_WRITES)
def test_a_worker_whose_job_was_erased_can_change_nothing(database: Database, write: str) -> None:
    held = running(database, now=NOON)
    database.jobs.delete(held.job.id)
    with pytest.raises(LeaseLostError):
        STALE_WRITES[write](database, held)
    assert database.jobs.claim(held.job.id, "other", LEASE, ATTEMPTS) is None


def test_a_commit_and_a_takeover_at_the_same_moment_give_one_result(url: str, opened: Open) -> None:
    mine, other = opened(url), opened(url)
    for _ in range(8):
        held = running(mine, now=NOON)
        outcomes = race(
            [
                partial(mine.jobs.succeed, held.job.id, held.token, [artefact(held)], now=after(LEASE + 1)),
                partial(other.jobs.claim, held.job.id, "other", LEASE, ATTEMPTS, now=after(LEASE + 1)),
            ]
        )
        job = mine.jobs.get(held.job.id)
        if isinstance(outcomes[0], LeaseLostError):
            assert (job.state, job.token, job.artefacts) == ("running", 2, ())
        else:
            assert outcomes == [None, None]
            assert (job.state, job.artefacts) == ("succeeded", (artefact(held),))


def test_after_the_last_attempt_a_claim_fails_the_job_and_says_why(database: Database) -> None:
    job = submit(database, now=NOON)
    for attempt in range(ATTEMPTS):
        claim(database, job.id, now=after(attempt * (LEASE + 1)))
    end = after(ATTEMPTS * (LEASE + 1))
    assert database.jobs.claim(job.id, "worker-1", LEASE, ATTEMPTS, now=end) is None
    failed = database.jobs.get(job.id)
    assert (failed.state, failed.attempt, failed.finished_at, failed.lease_until) == ("failed", ATTEMPTS, end, None)
    assert failed.problem is not None
    assert failed.problem.type == "/problems/attempts-exhausted"
    assert "3 attempts" in failed.problem.detail
    assert failed.problem.instance == job.id


def test_a_claim_of_a_job_to_be_cancelled_cancels_it(database: Database) -> None:
    held = running(database, now=NOON)
    database.jobs.request_cancel(held.job.id)
    assert database.jobs.claim(held.job.id, "other", LEASE, ATTEMPTS, now=after(LEASE + 1)) is None
    job = database.jobs.get(held.job.id)
    assert (job.state, job.attempt, job.finished_at) == ("cancelled", 1, after(LEASE + 1))


def test_a_released_job_does_not_count_the_attempt(database: Database) -> None:
    held = running(database, now=NOON)
    database.jobs.mark_enqueued([held.job.id], NOON)
    database.jobs.release(held.job.id, held.token)
    job = database.jobs.get(held.job.id)
    assert (job.state, job.attempt, job.lease_until, job.enqueued_at) == ("queued", 0, None, None)
    again = claim(database, job.id)
    # The token grows all the same: the former holder may still be writing.
    assert (again.token, again.job.attempt) == (2, 1)


def test_a_job_put_back_for_a_store_that_is_away_counts_the_attempt(database: Database) -> None:
    held = running(database)
    database.jobs.retry_later(held.job.id, held.token)
    job = database.jobs.get(held.job.id)
    assert (job.state, job.attempt, job.progress) == ("queued", 1, None)


@pytest.mark.parametrize("put_back", ["release", "retry_later"])
def test_a_job_to_be_cancelled_is_cancelled_when_it_is_put_back(database: Database, put_back: str) -> None:
    held = running(database)
    database.jobs.request_cancel(held.job.id)
    getattr(database.jobs, put_back)(held.job.id, held.token, now=after(3))
    job = database.jobs.get(held.job.id)
    assert (job.state, job.finished_at) == ("cancelled", after(3))
