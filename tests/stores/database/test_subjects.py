"""What is held on a subject, and that nothing is left of it; in both databases."""

import json
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import MetaData, create_engine, select

from eigenwarp.errors import JobUnknownError, LeaseLostError, SubjectUnknownError, VolumeUnknownError
from eigenwarp.schemas.requests import ProjectRequest, RegisterRequest
from eigenwarp.stores.database import AuditEntry, Database, Erased, HistoryEntry, JobRecord
from eigenwarp.stores.database.engine import parse_url
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
    projected,
    projection,
    report,
    running,
    submit,
    volume_id,
)
from tests.stores.database.test_uploads import upload


def contents(url: str) -> dict[str, str]:
    """Everything in every table, as text, whatever this release's tables are."""
    engine = create_engine(parse_url(url))
    try:
        metadata = MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            return {
                name: json.dumps([[str(value) for value in row] for row in connection.execute(select(table))])
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()


def tables_that_mention(url: str, *words: str) -> set[str]:
    return {name for name, text in contents(url).items() if any(word in text for word in words)}


def fill(database: Database, subject: str, *numbers: int) -> list[str]:
    """Something in every table that a subject can be mentioned in; the jobs' ids."""
    first, second = numbers
    add_volume(database, first, subject=subject, acquired_at=after(-60))
    add_volume(database, second, subject=subject)
    database.volumes.add_code_keys(volume_id(first), [f"codes/v/{first:064x}"])
    database.uploads.create(upload(first, subject=subject))
    held = running(database, RegisterRequest(moving=volume_id(first), fixed=volume_id(second)))
    database.jobs.succeed(held.job.id, held.token, [artefact(held), artefact(held, "warped")], report=report())
    jobs = [projected(database, first, subject), submit(database, ProjectRequest(volume=volume_id(first))), held.job]
    for target in (subject, volume_id(first), held.job.id):
        database.audit.add(AuditEntry(NOON, "key-1", "read", target, "done"))
    return [job.id for job in jobs]


def test_the_grep_itself_finds_a_subject_where_it_is(database: Database, url: str) -> None:
    fill(database, "subject-A", 0xA1, 0xA2)
    found = {"volume_subjects", "uploads", "jobs", "coefficients", "audit"}
    assert tables_that_mention(url, "subject-A") == found
    assert tables_that_mention(url, f"{0xA1:064x}") == {
        *("volumes", "volume_subjects", "volume_codes", "jobs", "job_volumes", "coefficients", "audit")
    }


def test_erasure_leaves_no_row_that_mentions_the_subject_or_its_volumes(database: Database, url: str) -> None:
    kept = fill(database, "subject-B", 0xB1, 0xB2)
    before = contents(url)
    gone = fill(database, "subject-A", 0xA1, 0xA2)
    erased = database.subjects.erase("subject-A")
    assert set(erased.jobs) == set(gone)
    assert set(erased.volumes) == {volume_id(0xA1), volume_id(0xA2)}
    assert erased.coefficients == 1
    words = ("subject-A", f"{0xA1:064x}", f"{0xA2:064x}", *gone)
    # Until the objects are deleted, their keys have to be remembered, and they name the contents.
    assert tables_that_mention(url, *words) == {"doomed_objects"}
    database.doomed.forget(database.doomed.due(now=after(10 * 365 * 86400)))
    assert tables_that_mention(url, *words) == set()
    assert database.jobs.counts()["queued"] == 1
    assert {job.id for job in database.jobs.page()[0]} == set(kept)
    # The other subject has all it had.
    rest = contents(url)
    for name in ("volumes", "volume_subjects", "volume_codes", "uploads", "jobs", "job_volumes", "artefacts"):
        assert rest[name] == before[name], name


def test_every_object_of_an_erased_subject_is_to_be_deleted(database: Database) -> None:
    jobs = fill(database, "subject-A", 0xA1, 0xA2)
    keys = [database.volumes.get(volume_id(number)).key for number in (0xA1, 0xA2)]
    erased = database.subjects.erase("subject-A", now=NOON)
    wanted = {*keys, upload(0xA1).key, f"codes/v/{0xA1:064x}", *(f"jobs/{job_id}/" for job_id in jobs)}
    assert {one.key for one in database.doomed.due(now=NOON)} == wanted
    # One job had not ended: what a worker may still write is deleted once more, and what the upload's URL takes.
    later = {one.key for one in erased.doomed if one.due_at > NOON}
    assert later == wanted - set(keys)


def test_a_crash_before_the_objects_are_deleted_loses_no_key(database: Database, url: str, opened: Open) -> None:
    fill(database, "subject-A", 0xA1, 0xA2)
    erased = database.subjects.erase("subject-A", now=NOON)
    wanted = sorted(one.key for one in erased.doomed if one.due_at == NOON)
    assert len(wanted) >= 6
    # Whoever erased is gone; who comes next deletes one object and is gone as well.
    database.close()
    second = opened(url)
    deleted = second.doomed.due(limit=1, now=NOON)
    second.doomed.forget(deleted)
    second.close()
    third = opened(url)
    left = third.doomed.due(now=NOON)
    assert sorted(one.key for one in [*deleted, *left]) == wanted
    third.doomed.forget(left)
    assert third.doomed.due(now=NOON) == []


def test_the_worker_of_an_erased_job_loses_it(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    held = running(database, ProjectRequest(volume=volume_id(1), subject="S1"))
    database.subjects.erase("S1")
    with pytest.raises(LeaseLostError):
        database.jobs.renew(held.job.id, held.token, LEASE, None)
    entry = HistoryEntry("S1", volume_id(1), None, projection())
    with pytest.raises(LeaseLostError):
        database.jobs.succeed(held.job.id, held.token, [artefact(held)], history=entry)
    with pytest.raises(VolumeUnknownError):
        database.volumes.add_code_keys(volume_id(1), ["codes/v/1"])
    with pytest.raises(JobUnknownError):
        database.jobs.get(held.job.id)
    assert database.jobs.claim(held.job.id, "worker-1", LEASE, ATTEMPTS) is None
    with pytest.raises(SubjectUnknownError):
        database.subjects.history("S1")


def test_a_projection_that_ends_while_its_subject_is_erased_leaves_nothing(url: str, opened: Open) -> None:
    worker, web = opened(url), opened(url)
    for number in range(1, 9):
        subject = f"subject-{number}"
        add_volume(web, number, subject=subject)
        held = running(web, ProjectRequest(volume=volume_id(number), subject=subject))
        entry = HistoryEntry(subject, volume_id(number), None, projection())
        ended, erased = race(
            [
                partial(worker.jobs.succeed, held.job.id, held.token, [artefact(held)], history=entry),
                partial(web.subjects.erase, subject),
            ]
        )
        assert isinstance(erased, Erased)
        assert ended is None or isinstance(ended, LeaseLostError)
        assert tables_that_mention(url, subject) == set()


def test_a_submission_while_its_subject_is_erased_leaves_nothing_or_is_new(url: str, opened: Open) -> None:
    one, other = opened(url), opened(url)
    for number in range(1, 9):
        subject = f"subject-{number}"
        add_volume(one, number, subject=subject)
        request = ProjectRequest(volume=volume_id(number), subject=subject)
        submitted, erased = race([partial(submit, one, request), partial(other.subjects.erase, subject)])
        # The volume went, so a job that uses it went with it, or was refused.
        assert isinstance(erased, Erased)
        assert isinstance(submitted, VolumeUnknownError | JobRecord)
        assert tables_that_mention(url, subject) == set()


def test_jobs_on_a_subject_s_volumes_go_whoever_submitted_them(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    add_volume(database, 2)
    job = submit(database, RegisterRequest(moving=volume_id(1), fixed=volume_id(2)), caller="someone else")
    assert database.subjects.erase("S1").jobs == (job.id,)
    assert database.volumes.get(volume_id(2)).row.id == volume_id(2)


def test_a_volume_that_was_projected_for_a_subject_goes_with_it(database: Database) -> None:
    add_volume(database, 1)
    projected(database, 1, "S1")
    assert database.subjects.erase("S1").volumes == (volume_id(1),)


def test_an_erased_content_can_come_again(database: Database) -> None:
    former = add_volume(database, 1, subject="S1")
    erased = database.subjects.erase("S1")
    again = add_volume(database, 1, subject="S1")
    # Its bytes are not among those that are about to be deleted.
    assert former.key in {one.key for one in erased.doomed}
    assert again.key not in {one.key for one in database.doomed.due(now=after(10 * 365 * 86400))}


def test_an_idempotency_key_is_free_again_after_the_erasure_of_its_job(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    add_volume(database, 2)
    first = submit(database, ProjectRequest(volume=volume_id(1)), key="k")
    database.subjects.erase("S1")
    second = submit(database, ProjectRequest(volume=volume_id(2)), key="k", hashed="another")
    assert second.id != first.id


def test_a_subject_on_whom_nothing_is_held_is_unknown(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    for call in (database.subjects.history, database.subjects.erase):
        with pytest.raises(SubjectUnknownError, match="S2"):
            call("S2")
    database.subjects.erase("S1")
    with pytest.raises(SubjectUnknownError):
        database.subjects.erase("S1")


def test_many_jobs_and_volumes_are_erased_at_once(database: Database) -> None:
    for number in range(1, 40):
        add_volume(database, number, subject="S1")
    jobs = [submit(database, ProjectRequest(volume=volume_id(1 + n % 39)), max_queued=10**6) for n in range(600)]
    erased = database.subjects.erase("S1")
    assert (len(erased.volumes), set(erased.jobs)) == (39, {job.id for job in jobs})
    database.doomed.forget(erased.doomed)
    assert database.doomed.due(now=after(10 * 365 * 86400)) == []


def test_the_epoch_grows_with_every_erasure_and_only_then(database: Database) -> None:
    assert database.subjects.erasure_epoch() == 0
    for number in (1, 2, 3):
        add_volume(database, number, subject=f"S{number}")
    projected(database, 1, "S1")
    assert database.subjects.erasure_epoch() == 0
    database.subjects.erase("S1")
    first = database.subjects.erasure_epoch()
    assert first > 0
    with pytest.raises(SubjectUnknownError):
        database.subjects.erase("S1")
    assert database.subjects.erasure_epoch() == first
    database.volumes.delete(volume_id(2))
    assert database.subjects.erasure_epoch() > first


def test_a_history_is_by_date_of_acquisition_then_of_recording(database: Database) -> None:
    acquired = {1: after(-100), 2: None, 3: after(-300), 4: None, 5: after(-100)}
    for number, when in acquired.items():
        add_volume(database, number, subject="S1")
        held = running(database, ProjectRequest(volume=volume_id(number), subject="S1"))
        entry = HistoryEntry("S1", volume_id(number), when, projection(first=number))
        database.jobs.succeed(held.job.id, held.token, [], history=entry, now=after(10 - number))
    rows = database.subjects.history("S1")
    assert [row.projection.coefficients[0] for row in rows] == [3, 5, 1, 4, 2]
    assert [row.acquired_at for row in rows] == [after(-300), after(-100), after(-100), None, None]


def test_a_history_outlives_the_jobs_that_made_it(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    job = projected(database, 1, "S1")
    database.jobs.delete(job.id)
    assert [row.job for row in database.subjects.history("S1")] == [job.id]
    assert database.subjects.erase("S1").coefficients == 1


def test_a_claim_made_while_a_job_is_erased_is_worth_nothing(url: str, opened: Open) -> None:
    worker, web = opened(url), opened(url)
    for number in range(1, 9):
        add_volume(web, number, subject=f"S{number}")
        job = submit(web, ProjectRequest(volume=volume_id(number)))
        claimed, erased = race([partial(claim, worker, job.id), partial(web.subjects.erase, f"S{number}")])
        assert isinstance(erased, Erased)
        if not isinstance(claimed, Exception):
            with pytest.raises(LeaseLostError):
                worker.jobs.renew(job.id, claimed.token, LEASE, None)
        # Files that it may have begun to write are deleted after it has noticed.
        due = sorted(one.due_at for one in erased.doomed if one.key == f"jobs/{job.id}/")
        assert len(due) == 2
        assert due[1] - due[0] == timedelta(hours=1)
