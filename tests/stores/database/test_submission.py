"""Jobs taken in, by both databases."""

from functools import partial

import pytest

from eigenwarp.errors import IdempotencyMismatchError, JobUnknownError, QueueFullError, VolumeUnknownError
from eigenwarp.schemas.requests import NothingRequest, ProjectRequest, RegisterRequest
from eigenwarp.stores.database import Database, JobRecord
from tests.stores.database.conftest import Open
from tests.stores.database.racing import errors, race
from tests.stores.database.samples import (
    MODEL,
    NOON,
    add_volume,
    after,
    claim,
    failure,
    submit,
    submit_or_find,
    volume_id,
)


def test_a_job_comes_back_as_it_was_submitted(database: Database) -> None:
    for number in (1, 2):
        add_volume(database, number)
    request = RegisterRequest(moving=volume_id(1), fixed=volume_id(2), model="hippocampus@0123456789ab")
    job, created = submit_or_find(database, request, caller="key-1", now=NOON)
    assert created
    assert database.jobs.get(job.id) == job
    assert job.request == request
    assert (job.kind, job.state, job.model, job.caller) == ("register", "queued", MODEL, "key-1")
    assert (job.attempt, job.token, job.created_at, job.enqueued_at) == (0, 0, NOON, None)
    assert job.id.startswith("job_")
    assert len(job.id) == 36


def test_the_same_key_and_request_give_the_same_job(database: Database) -> None:
    first, created = submit_or_find(database, key="k", now=NOON)
    second, created_again = submit_or_find(database, key="k", now=after(60))
    assert (created, created_again) == (True, False)
    assert second == first


def test_a_key_finds_its_job_in_any_state_and_in_a_full_queue(database: Database) -> None:
    job = submit(database, key="k")
    held = claim(database, job.id)
    database.jobs.fail(job.id, held.token, failure())
    submit(database)
    found, created = submit_or_find(database, key="k", max_queued=1)
    assert (found.id, found.state, created) == (job.id, "failed", False)


def test_another_request_under_a_known_key_is_refused(database: Database) -> None:
    job = submit(database, key="k", hashed="a")
    with pytest.raises(IdempotencyMismatchError, match=job.id):
        submit(database, NothingRequest(seconds=1), key="k", hashed="b")
    assert database.jobs.count("queued") == 1


def test_keys_of_different_callers_do_not_meet(database: Database) -> None:
    assert submit(database, key="k", caller="one").id != submit(database, key="k", caller="two").id


def test_jobs_without_a_key_are_all_different(database: Database) -> None:
    assert len({submit(database).id for _ in range(5)}) == 5


def test_threads_that_submit_under_one_key_get_one_job(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    outcomes = race([partial(submit_or_find, databases[n % 4], key="k") for n in range(16)])
    assert errors(outcomes) == []
    found = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert len({job.id for job, _ in found}) == 1
    assert sorted(created for _, created in found) == [False] * 15 + [True]
    assert databases[0].jobs.count("queued") == 1


def test_a_full_queue_refuses(database: Database) -> None:
    jobs = [submit(database, max_queued=3) for _ in range(3)]
    with pytest.raises(QueueFullError, match="3 jobs wait, 3 are allowed to"):
        submit(database, max_queued=3)
    claim(database, jobs[0].id)
    submit(database, max_queued=3)


def test_threads_cannot_overfill_the_queue(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    outcomes = race([partial(submit, databases[n % 4], max_queued=5) for n in range(16)])
    assert [type(error) for error in errors(outcomes)] == [QueueFullError] * 11
    assert databases[0].jobs.count("queued") == 5


def test_a_job_on_a_volume_that_is_not_there_is_refused_and_leaves_nothing(database: Database) -> None:
    add_volume(database, 1)
    with pytest.raises(VolumeUnknownError, match=volume_id(2)):
        submit(database, RegisterRequest(moving=volume_id(1), fixed=volume_id(2)), key="k")
    assert database.jobs.counts()["queued"] == 0
    add_volume(database, 2)
    assert submit_or_find(database, RegisterRequest(moving=volume_id(1), fixed=volume_id(2)), key="k")[1]


def test_one_volume_may_be_moving_and_fixed(database: Database) -> None:
    add_volume(database, 1)
    assert submit(database, RegisterRequest(moving=volume_id(1), fixed=volume_id(1))).state == "queued"


def test_submissions_and_deletions_of_their_volume_never_meet_halfway(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    for number in range(1, 6):
        add_volume(databases[0], number)
        request = ProjectRequest(volume=volume_id(number))
        calls = [partial(submit, one, request) for one in databases[:3]]
        outcomes = race([*calls, partial(databases[3].volumes.delete, volume_id(number))])
        jobs = [outcome for outcome in outcomes if isinstance(outcome, JobRecord)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, VolumeUnknownError)]
        # Either the volume went first and no job was taken, or a job was and the volume stayed.
        assert len(jobs) + len(refused) == 3, outcomes
        assert (len(jobs) > 0) == (type(outcomes[3]).__name__ == "VolumeInUseError"), outcomes
        for job in jobs:
            databases[0].jobs.request_cancel(job.id)


def test_a_deleted_job_is_gone_and_its_files_are_doomed(database: Database) -> None:
    job = submit(database)
    claim(database, job.id)
    database.jobs.delete(job.id, now=NOON)
    with pytest.raises(JobUnknownError, match=job.id):
        database.jobs.get(job.id)
    assert [one.key for one in database.doomed.due(now=NOON)] == [f"jobs/{job.id}/"]
    # Once more later, for what its worker may be writing yet.
    assert [one.key for one in database.doomed.due(now=after(3600))] == [f"jobs/{job.id}/"] * 2
    with pytest.raises(JobUnknownError):
        database.jobs.delete(job.id)


@pytest.mark.parametrize("job_id", ["", "job_" + "0" * 32, "' OR 1=1 --", "job_" + "é" * 500])
def test_a_job_that_is_none_is_unknown(database: Database, job_id: str) -> None:
    submit(database)
    with pytest.raises(JobUnknownError):
        database.jobs.get(job_id)
