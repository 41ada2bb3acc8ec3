"""Jobs whose worker or whose message was lost, found by both databases."""

from functools import partial

from eigenwarp.stores.database import Database
from tests.stores.database.conftest import Open
from tests.stores.database.racing import errors, race
from tests.stores.database.samples import ATTEMPTS, LEASE, NOON, after, claim, running, submit


def test_the_job_of_a_silent_worker_is_queued_again(database: Database) -> None:
    silent, alive = running(database, now=NOON), running(database, now=NOON)
    database.jobs.renew(alive.job.id, alive.token, LEASE, None, now=after(LEASE))
    assert database.jobs.expire_leases(ATTEMPTS, now=after(LEASE + 1)) == [silent.job.id]
    job = database.jobs.get(silent.job.id)
    assert (job.state, job.attempt, job.token, job.lease_until, job.enqueued_at) == ("queued", 1, 1, None, None)
    assert database.jobs.get(alive.job.id).state == "running"
    assert database.jobs.expire_leases(ATTEMPTS, now=after(LEASE + 1)) == []


def test_a_silent_worker_s_last_attempt_fails_the_job(database: Database) -> None:
    job = submit(database, now=NOON)
    for attempt in range(ATTEMPTS):
        claim(database, job.id, now=after(attempt * 100))
        queued = database.jobs.expire_leases(ATTEMPTS, now=after(attempt * 100 + LEASE))
        assert queued == ([job.id] if attempt < ATTEMPTS - 1 else [])
    failed = database.jobs.get(job.id)
    assert (failed.state, failed.attempt) == ("failed", ATTEMPTS)
    assert failed.problem is not None
    assert failed.problem.type == "/problems/attempts-exhausted"
    assert failed.finished_at == after(200 + LEASE)
    assert {one.key for one in database.doomed.due(now=after(9000))} == {
        f"jobs/{job.id}/{token}/" for token in range(1, ATTEMPTS + 1)
    }


def test_a_silent_worker_s_job_that_was_to_be_cancelled_is(database: Database) -> None:
    held = running(database, now=NOON)
    database.jobs.request_cancel(held.job.id)
    assert database.jobs.expire_leases(ATTEMPTS, now=after(LEASE)) == []
    assert database.jobs.get(held.job.id).state == "cancelled"


def test_several_that_recover_at_once_find_each_job_once(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    ids = [running(databases[0], now=NOON).job.id for _ in range(12)]
    late = after(LEASE + 1)
    outcomes = race([partial(one.jobs.expire_leases, ATTEMPTS, now=late) for one in databases])
    assert errors(outcomes) == []
    found = [job_id for outcome in outcomes if isinstance(outcome, list) for job_id in outcome]
    # One that was skipped because another had it in hand is found in a later round.
    found += databases[0].jobs.expire_leases(ATTEMPTS, now=late)
    assert sorted(found) == sorted(ids)


def test_a_renewal_and_an_expiry_at_the_same_moment_leave_one_truth(url: str, opened: Open) -> None:
    worker, reaper = opened(url), opened(url)
    late = after(LEASE + 1)
    for _ in range(8):
        held = running(worker, now=NOON)
        renewed, expired = race(
            [
                partial(worker.jobs.renew, held.job.id, held.token, LEASE, None, now=late),
                partial(reaper.jobs.expire_leases, ATTEMPTS, now=late),
            ]
        )
        state = worker.jobs.get(held.job.id).state
        assert (renewed is False, expired, state) in (
            (True, [], "running"),
            (False, [held.job.id], "queued"),
        ), (renewed, expired, state)


def test_jobs_never_sent_come_first_then_those_sent_longest_ago(database: Database) -> None:
    names = ("old", "new", "never", "never, later", "claimed")
    jobs = {name: submit(database, now=after(n)).id for n, name in enumerate(names)}
    database.jobs.mark_enqueued([jobs["new"]], after(50))
    database.jobs.mark_enqueued([jobs["old"], jobs["claimed"]], after(40))
    claim(database, jobs["claimed"])
    assert database.jobs.queued(10, after(60)) == [jobs[name] for name in ("never", "never, later", "old", "new")]
    assert database.jobs.queued(3, after(60)) == [jobs[name] for name in ("never", "never, later", "old")]
    assert database.jobs.queued(10, after(50)) == [jobs[name] for name in ("never", "never, later", "old")]
    assert database.jobs.queued(10, NOON) == [jobs[name] for name in ("never", "never, later")]


def test_what_was_sent_is_marked_however_many(database: Database) -> None:
    ids = [submit(database).id for _ in range(3)]
    database.jobs.mark_enqueued([*ids, *(f"job_{n:032x}" for n in range(1200))], NOON)
    database.jobs.mark_enqueued([], after(9))
    assert [database.jobs.get(job_id).enqueued_at for job_id in ids] == [NOON] * 3


def test_states_are_counted(database: Database) -> None:
    submit(database)
    submit(database)
    running(database)
    assert database.jobs.counts() == {"queued": 2, "running": 1, "succeeded": 0, "failed": 0, "cancelled": 0}
    assert database.jobs.count("queued") == 2
    assert database.jobs.count("failed") == 0
