"""Promised uploads, in both databases."""

from functools import partial

import pytest

from eigenwarp.errors import SubjectUnknownError, UploadUnknownError
from eigenwarp.schemas.volumes import UploadRequest
from eigenwarp.stores.database import Database, UploadRecord
from tests.stores.database.conftest import Open
from tests.stores.database.racing import race
from tests.stores.database.samples import NOON, after


def upload(number: int = 1, subject: str | None = None) -> UploadRecord:
    name = f"upl_{number:032x}"
    return UploadRecord(
        id=name,
        request=UploadRequest(kind="segmentation", bytes=1 << 33, subject=subject),
        key=f"uploads/{name}",
        caller="key-1",
        created_at=NOON,
        expires_at=after(900),
    )


def test_an_upload_comes_back_until_it_expires(database: Database) -> None:
    database.uploads.create(upload())
    assert database.uploads.get(upload().id, now=after(899)) == upload()
    for call in (database.uploads.get, database.uploads.take):
        with pytest.raises(UploadUnknownError, match=upload().id):
            call(upload().id, now=after(900))


def test_of_many_that_complete_an_upload_one_gets_it(url: str, opened: Open) -> None:
    databases = [opened(url) for _ in range(4)]
    databases[0].uploads.create(upload())
    outcomes = race([partial(databases[n % 4].uploads.take, upload().id, now=after(1)) for n in range(8)])
    assert outcomes.count(upload()) == 1
    assert sum(isinstance(outcome, UploadUnknownError) for outcome in outcomes) == 7


def test_a_completed_upload_leaves_its_object_to_be_deleted_but_not_under_its_reader(database: Database) -> None:
    database.uploads.create(upload())
    database.uploads.take(upload().id, now=after(1))
    with pytest.raises(UploadUnknownError):
        database.uploads.get(upload().id, now=after(1))
    # Its presigned URL holds until it expires, and what is put there by then has to go as well.
    assert database.doomed.due(now=after(900)) == []
    assert [one.key for one in database.doomed.due(now=after(900 + 3600))] == [upload().key]


def test_uploads_that_never_came_are_found_and_given_up(database: Database) -> None:
    for number in (1, 2):
        database.uploads.create(upload(number))
    assert database.uploads.expired(now=after(899)) == []
    assert {one.id for one in database.uploads.expired(now=after(900))} == {upload(1).id, upload(2).id}
    assert len(database.uploads.expired(now=after(900), limit=1)) == 1
    for number in (1, 2, 3):
        database.uploads.delete(upload(number).id, now=after(1000))
    assert database.uploads.expired(now=after(900)) == []
    assert {one.key for one in database.doomed.due(now=after(9000))} == {upload(1).key, upload(2).key}


def test_a_subject_s_uploads_go_with_it(database: Database) -> None:
    database.uploads.create(upload(1, subject="S1"))
    database.uploads.create(upload(2, subject="S2"))
    assert database.subjects.history("S1") == []
    erased = database.subjects.erase("S1", now=after(1))
    with pytest.raises(UploadUnknownError):
        database.uploads.get(upload(1).id, now=after(1))
    assert database.uploads.get(upload(2).id, now=after(1)) == upload(2, subject="S2")
    # What has arrived goes at once, and what its URL may still take once that holds no longer.
    assert [one.key for one in database.doomed.due(now=after(1))] == [upload(1).key]
    assert [(one.key, one.due_at) for one in erased.doomed] == [(upload(1).key, after(1)), (upload(1).key, after(4500))]
    with pytest.raises(SubjectUnknownError):
        database.subjects.history("S1")
