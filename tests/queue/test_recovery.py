"""Jobs, messages, uploads and objects that something was lost of, and that a round of recovery finds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eigenwarp.queue import JobQueue, Recovered, RecoveryLoop, recover
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Database
from eigenwarp.stores.objects import FolderStore
from tests.queue.conftest import Submit
from tests.queue.messages import take, waiting_ids
from tests.servers.processes import wait_until
from tests.servers.redis import RedisServer

LEASE_SECONDS = 30.0


class Rounds:
    """Rounds of recovery, each a minute after the one before unless told otherwise."""

    def __init__(self, database: Database, queue: JobQueue, objects: FolderStore, settings: Settings) -> None:
        self.stores = (database, queue, objects, settings)
        self.now = datetime.now(UTC)

    def __call__(self, after: timedelta = timedelta(minutes=1)) -> Recovered:
        self.now += after
        return recover(*self.stores, now=self.now)


@pytest.fixture
def rounds(database: Database, queue: JobQueue, objects: FolderStore, settings: Settings) -> Rounds:
    return Rounds(database, queue, objects, settings)


def test_with_nothing_lost_nothing_is_done(
    rounds: Rounds, database: Database, queue: JobQueue, submit: Submit, redis_server: RedisServer
) -> None:
    job = submit()
    queue.send(job)
    database.jobs.mark_enqueued([job])
    assert rounds() == rounds() == Recovered()
    assert waiting_ids(redis_server) == [job]


def test_a_job_that_no_message_was_sent_for_gets_one(rounds: Rounds, submit: Submit, redis_server: RedisServer) -> None:
    jobs = [submit(), submit()]
    assert rounds(timedelta(0)).sent == tuple(jobs)
    assert rounds().sent == ()
    assert waiting_ids(redis_server) == jobs


def test_messages_that_were_lost_with_redis_are_sent_again(
    rounds: Rounds, submit: Submit, redis_server: RedisServer
) -> None:
    jobs = [submit() for _ in range(5)]
    rounds()
    redis_server.restart()
    assert waiting_ids(redis_server) == []
    assert rounds().sent == tuple(jobs)
    assert waiting_ids(redis_server) == jobs


def test_only_as_many_messages_are_sent_as_are_missing(
    rounds: Rounds, submit: Submit, redis_server: RedisServer
) -> None:
    jobs = [submit() for _ in range(5)]
    rounds()
    assert [take(redis_server), take(redis_server)] == jobs[:2]
    assert rounds().sent == tuple(jobs[:2])
    assert sorted(waiting_ids(redis_server)) == sorted(jobs)


def test_a_wrong_guess_at_which_message_is_missing_is_put_right_as_messages_are_taken(
    rounds: Rounds, database: Database, submit: Submit, redis_server: RedisServer
) -> None:
    first, lost = submit(), submit()
    rounds()
    with redis_server.client() as client:
        client.ltrim("eigenwarp.jobs", 1, -1)
    assert waiting_ids(redis_server) == [first]
    rounds()
    for _ in range(4):
        while waiting_ids(redis_server):
            claim = database.jobs.claim(take(redis_server), "worker", LEASE_SECONDS, 3)
            if claim is not None:
                database.jobs.succeed(claim.job.id, claim.token, [])
        rounds()
    assert database.jobs.get(first).state == database.jobs.get(lost).state == "succeeded"


def test_a_message_that_was_sent_just_now_is_not_missed_yet(
    rounds: Rounds, submit: Submit, redis_server: RedisServer, settings: Settings
) -> None:
    job = submit()
    rounds()
    take(redis_server)
    assert rounds(timedelta(seconds=settings.recovery_seconds / 2)).sent == ()
    assert rounds(timedelta(seconds=settings.recovery_seconds)).sent == (job,)


def test_a_job_that_runs_needs_no_message(
    rounds: Rounds, database: Database, submit: Submit, redis_server: RedisServer
) -> None:
    job = submit()
    rounds()
    assert database.jobs.claim(take(redis_server), "worker", 3600.0, 3, now=rounds.now) is not None
    assert rounds() == Recovered()
    assert database.jobs.get(job).state == "running"


def test_a_job_whose_worker_fell_silent_is_sent_again_and_then_fails(
    rounds: Rounds, database: Database, submit: Submit, redis_server: RedisServer, settings: Settings
) -> None:
    job = submit()
    rounds()
    for attempt in (1, 2):
        taken = take(redis_server)
        assert database.jobs.claim(taken, "worker", LEASE_SECONDS, settings.max_attempts, now=rounds.now) is not None
        assert rounds(timedelta(seconds=LEASE_SECONDS / 2)) == Recovered()
        recovered = rounds(timedelta(seconds=LEASE_SECONDS))
        assert recovered.expired == recovered.sent == ((job,) if attempt == 1 else ())
    ended = database.jobs.get(job)
    assert ended.state == "failed"
    assert ended.problem is not None
    assert ended.problem.type == "/problems/attempts-exhausted"
    assert waiting_ids(redis_server) == []


def test_a_message_that_a_dead_worker_holds_hides_no_other_that_is_lost(
    rounds: Rounds, database: Database, submit: Submit, redis_server: RedisServer
) -> None:
    job = submit()
    rounds()
    with redis_server.client() as client:
        client.hset("eigenwarp.unacked", "tag-of-a-dead-worker", "its message")
    take(redis_server)
    assert rounds().sent == (job,)


def test_without_redis_leases_still_expire_and_messages_follow_later(
    rounds: Rounds, database: Database, submit: Submit, redis_server: RedisServer
) -> None:
    job = submit()
    rounds()
    assert database.jobs.claim(take(redis_server), "worker", LEASE_SECONDS, 3, now=rounds.now) is not None
    redis_server.kill()
    recovered = rounds()
    assert (recovered.expired, recovered.sent) == ((job,), ())
    assert [reason.split(":")[0] for reason in recovered.unavailable] == ["the queue does not answer"]
    assert database.jobs.get(job).state == "queued"
    redis_server.start()
    assert rounds().sent == (job,)
    assert waiting_ids(redis_server) == [job]


def test_no_message_is_sent_while_the_object_store_is_away(
    rounds: Rounds, submit: Submit, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = submit()
    (tmp_path / "objects").rename(tmp_path / "elsewhere")
    recovered = rounds()
    assert recovered.sent == ()
    assert "object folder" in recovered.unavailable[0]
    assert waiting_ids(redis_server) == []
    (tmp_path / "elsewhere").rename(tmp_path / "objects")
    assert rounds().sent == (job,)


def test_objects_that_nothing_refers_to_are_deleted(
    rounds: Rounds, database: Database, objects: FolderStore, submit: Submit
) -> None:
    job, other = submit(), submit()
    for owner in (job, other):
        objects.put(f"jobs/{owner}/1/field.nii.gz", b"x")
    database.jobs.delete(job)
    assert rounds().deleted == 1
    assert [found.key for found in objects.list("")] == [f"jobs/{other}/1/field.nii.gz"]
    assert database.doomed.due(now=rounds.now) == []


def test_objects_that_could_not_be_deleted_are_not_forgotten(
    rounds: Rounds, database: Database, objects: FolderStore, submit: Submit, tmp_path: Path
) -> None:
    job = submit()
    rounds()
    objects.put(f"jobs/{job}/1/field.nii.gz", b"x")
    database.jobs.delete(job)
    aside = tmp_path / "aside"
    (tmp_path / "objects" / "objects" / "jobs").rename(aside)
    # A link to itself: the store cannot be read there, and says so.
    (tmp_path / "objects" / "objects" / "jobs").symlink_to("jobs")
    recovered = rounds()
    assert recovered.deleted == 0
    assert len(recovered.unavailable) == 1
    (tmp_path / "objects" / "objects" / "jobs").unlink()
    aside.rename(tmp_path / "objects" / "objects" / "jobs")
    assert rounds().deleted == 1
    assert list(objects.list("")) == []


def test_two_that_recover_at_once_do_no_harm(
    rounds: Rounds, database: Database, submit: Submit, redis_server: RedisServer
) -> None:
    jobs = {submit() for _ in range(3)}
    redis_server.restart()
    first, second = Rounds(*rounds.stores), Rounds(*rounds.stores)
    first()
    second(timedelta(minutes=1))
    ended = 0
    while waiting_ids(redis_server):
        claim = database.jobs.claim(take(redis_server), "worker", LEASE_SECONDS, 3)
        if claim is not None:
            database.jobs.succeed(claim.job.id, claim.token, [])
            ended += 1
    assert ended == len(jobs)
    assert {database.jobs.get(job).attempt for job in jobs} == {1}


def test_the_loop_outlives_redis_and_finds_what_was_lost_with_it(
    database: Database,
    queue: JobQueue,
    objects: FolderStore,
    settings: Settings,
    submit: Submit,
    redis_server: RedisServer,
) -> None:
    often = settings.model_copy(update={"recovery_seconds": 0.05})
    first = submit()
    with RecoveryLoop(database, queue, objects, often):
        wait_until(lambda: waiting_ids(redis_server) == [first], "the message is sent")
        redis_server.kill()
        second = submit()
        redis_server.start()
        wait_until(lambda: set(waiting_ids(redis_server)) == {first, second}, "both messages are sent")


def test_the_loop_outlives_a_database_that_has_gone(
    database: Database,
    queue: JobQueue,
    objects: FolderStore,
    settings: Settings,
    submit: Submit,
    redis_server: RedisServer,
    tmp_path: Path,
) -> None:
    job = submit()
    database.close()
    file = tmp_path / "eigenwarp.sqlite3"
    file.rename(tmp_path / "aside")
    file.mkdir()
    often = settings.model_copy(update={"recovery_seconds": 0.05})
    with RecoveryLoop(database, queue, objects, often) as loop:
        wait_until(lambda: bool(loop.unavailable), "the loop says that the database is away")
        file.rmdir()
        (tmp_path / "aside").rename(file)
        wait_until(lambda: waiting_ids(redis_server) == [job], "the message is sent")
        wait_until(lambda: not loop.unavailable, "the loop says that all is well")
