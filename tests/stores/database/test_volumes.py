"""Volumes, their subjects and their encodings, in both databases."""

from functools import partial

import pytest

from eigenwarp.errors import NotReadyError, VolumeInUseError, VolumeUnknownError
from eigenwarp.schemas.requests import ProjectRequest, RegisterRequest
from eigenwarp.stores.database import Database, VolumeRecord
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
    projected,
    running,
    submit,
    volume_id,
    volume_row,
)


def test_a_volume_comes_back_as_it_was_added(database: Database) -> None:
    key = database.volumes.reserve(volume_id(1))
    given = VolumeRecord(volume_row(1, subject="S1", acquired_at=after(-3600)), key)
    assert database.volumes.add(given) == (given, True)
    assert database.volumes.get(volume_id(1)) == given


def test_a_known_content_keeps_its_first_key(database: Database) -> None:
    first = add_volume(database, 1)
    again, created = database.volumes.add(VolumeRecord(volume_row(1), database.volumes.reserve(volume_id(1))))
    assert (again, created) == (first, False)


def test_threads_that_add_one_content_add_one_volume(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]

    def add(database: Database) -> tuple[VolumeRecord, bool]:
        return database.volumes.add(VolumeRecord(volume_row(1), database.volumes.reserve(volume_id(1))))

    outcomes = race([partial(add, databases[n % 4]) for n in range(12)])
    assert errors(outcomes) == []
    found = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert sum(created for _, created in found) == 1
    assert {record.key for record, _ in found} == {databases[0].volumes.get(volume_id(1)).key}


def test_a_volume_shows_the_subject_it_was_last_added_with(database: Database) -> None:
    first = add_volume(database, 1, subject="S1", acquired_at=after(-60), now=NOON)
    for subject, moment in (("S2", 10), ("S1", 20)):
        row = volume_row(1, subject)
        database.volumes.add(VolumeRecord(row, first.key), now=after(moment))
        assert database.volumes.get(volume_id(1)).row.subject == subject
    # Added again without a time, it keeps the one that was known.
    assert database.volumes.get(volume_id(1)).row.acquired_at == after(-60)
    database.volumes.add(VolumeRecord(volume_row(1), first.key), now=after(30))
    assert database.volumes.get(volume_id(1)).row.subject == "S1"


def test_a_projection_makes_its_volume_the_subject_s(database: Database) -> None:
    add_volume(database, 1)
    submit(database, ProjectRequest(volume=volume_id(1), subject="S1", acquired_at=after(-60)))
    row = database.volumes.get(volume_id(1)).row
    assert (row.subject, row.acquired_at) == ("S1", after(-60))


def test_a_volume_that_is_not_there_is_unknown(database: Database) -> None:
    for call in (database.volumes.get, database.volumes.delete):
        with pytest.raises(VolumeUnknownError, match=volume_id(7)):
            call(volume_id(7))
    with pytest.raises(VolumeUnknownError):
        database.volumes.add_code_keys(volume_id(7), ["codes/v/a"])


def test_bytes_whose_volume_never_came_are_doomed(database: Database) -> None:
    kept, given_up = (database.volumes.reserve(volume_id(n), now=NOON) for n in (1, 2))
    database.volumes.add(VolumeRecord(volume_row(1), kept), now=after(60))
    assert database.doomed.due(now=after(3599)) == []
    assert [one.key for one in database.doomed.due(now=after(3600))] == [given_up]


def test_each_reservation_is_another_key(database: Database) -> None:
    assert len({database.volumes.reserve(volume_id(1)) for _ in range(10)}) == 10


@pytest.mark.parametrize("seconds", [3400, 3600, 9000])
def test_a_reservation_that_has_ended_does_not_take_a_volume(database: Database, seconds: float) -> None:
    key = database.volumes.reserve(volume_id(1), now=NOON)
    with pytest.raises(NotReadyError):
        database.volumes.add(VolumeRecord(volume_row(1), key), now=after(seconds))
    with pytest.raises(VolumeUnknownError):
        database.volumes.get(volume_id(1))
    # Refused, the reservation stands: the bytes are still to be deleted.
    assert [one.key for one in database.doomed.due(now=after(9000))] == [key]


def test_the_key_of_an_erased_volume_does_not_take_another(database: Database) -> None:
    former = add_volume(database, 1)
    erased = database.volumes.delete(volume_id(1))
    with pytest.raises(NotReadyError):
        database.volumes.add(VolumeRecord(volume_row(1), former.key))
    # Nor once the bytes are deleted, which is when it would do the harm.
    database.doomed.forget(erased.doomed)
    with pytest.raises(NotReadyError):
        database.volumes.add(VolumeRecord(volume_row(1), former.key))
    assert add_volume(database, 1).key != former.key


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_volume_that_an_unfinished_job_needs_stays(database: Database, state: str) -> None:
    for number in (1, 2):
        add_volume(database, number)
    job = submit(database, RegisterRequest(moving=volume_id(1), fixed=volume_id(2)))
    if state == "running":
        claim(database, job.id)
    for number in (1, 2):
        with pytest.raises(VolumeInUseError, match=volume_id(number)):
            database.volumes.delete(volume_id(number))
    assert database.doomed.due() == []
    assert database.subjects.erasure_epoch() == 0


def test_an_erased_volume_takes_along_all_that_was_computed_from_it(database: Database) -> None:
    for number in (1, 2):
        add_volume(database, number, subject=f"S{number}")
    job = projected(database, 1, "S1")
    other = projected(database, 2, "S2")
    database.volumes.add_code_keys(volume_id(1), ["codes/v/a", "codes/v/b"])
    database.volumes.add_code_keys(volume_id(2), ["codes/v/c"])
    key = database.volumes.get(volume_id(1)).key
    erased = database.volumes.delete(volume_id(1))
    assert (erased.volumes, erased.jobs, erased.coefficients) == ((volume_id(1),), (job.id,), 1)
    wanted = {key, "codes/v/a", "codes/v/b", f"jobs/{job.id}/"}
    assert {one.key for one in erased.doomed} == {one.key for one in database.doomed.due()} == wanted
    assert {one.key for one in erased.doomed if one.is_prefix} == {f"jobs/{job.id}/"}
    assert database.jobs.page()[0] == [other]
    assert len(database.subjects.history("S2")) == 1
    assert database.volumes.code_keys(volume_id(2)) == ["codes/v/c"]
    assert database.subjects.erasure_epoch() == 1


def test_code_keys_are_noted_once(database: Database) -> None:
    add_volume(database, 1)
    assert database.volumes.code_keys(volume_id(1)) == []
    database.volumes.add_code_keys(volume_id(1), ["codes/v/b", "codes/v/a", "codes/v/b"])
    database.volumes.add_code_keys(volume_id(1), ["codes/v/a", "codes/w/a"])
    database.volumes.add_code_keys(volume_id(1), [])
    assert database.volumes.code_keys(volume_id(1)) == ["codes/v/a", "codes/v/b", "codes/w/a"]


def test_code_keys_noted_while_the_volume_is_erased_are_never_left_behind(url: str, opened: Open) -> None:
    worker, web = opened(url), opened(url)
    for number in range(1, 9):
        add_volume(web, number)
        key = f"codes/v/{number}"
        noted, erased = race(
            [
                partial(worker.volumes.add_code_keys, volume_id(number), [key]),
                partial(web.volumes.delete, volume_id(number)),
            ]
        )
        assert not isinstance(erased, Exception), erased
        doomed = key in {one.key for one in web.doomed.due()}
        assert doomed == (noted is None), noted
        assert noted is None or isinstance(noted, VolumeUnknownError)


def test_a_volume_of_ended_jobs_can_be_erased(database: Database) -> None:
    add_volume(database, 1)
    cancelled = submit(database, ProjectRequest(volume=volume_id(1), subject="S1"))
    database.jobs.request_cancel(cancelled.id)
    held = running(database, ProjectRequest(volume=volume_id(1)))
    database.jobs.succeed(held.job.id, held.token, [artefact(held)])
    erased = database.volumes.delete(volume_id(1))
    assert set(erased.jobs) == {cancelled.id, held.job.id}
    assert database.jobs.claim(cancelled.id, "worker-1", LEASE, ATTEMPTS) is None
