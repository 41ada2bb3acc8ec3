"""Lists of jobs in pages, from both databases."""

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.schemas.requests import NothingRequest, ProjectRequest, ReconstructRequest
from eigenwarp.stores.database import Database
from tests.stores.database.samples import (
    NOON,
    add_volume,
    after,
    artefact,
    claim,
    running,
    submit,
    volume_id,
)


def all_pages(database: Database, limit: int, **filters: object) -> list[list[str]]:
    """Ids by page."""
    pages, cursor = [], None
    while True:
        jobs, cursor = database.jobs.page(cursor=cursor, limit=limit, **filters)  # type: ignore[arg-type]
        pages.append([job.id for job in jobs])
        if cursor is None:
            return pages


def test_pages_hold_each_job_once_newest_first(database: Database) -> None:
    ids = [submit(database, now=after(n)).id for n in range(7)]
    assert all_pages(database, 3) == [ids[:3:-1], ids[3:0:-1], ids[:1]]
    assert all_pages(database, 7) == [ids[::-1]]
    assert all_pages(database, 50) == [ids[::-1]]


def test_an_empty_list_is_one_empty_page(database: Database) -> None:
    assert database.jobs.page() == ([], None)


def test_jobs_of_the_same_moment_are_not_lost_between_pages(database: Database) -> None:
    ids = {submit(database, now=NOON).id for _ in range(9)}
    pages = all_pages(database, 2)
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert {job_id for page in pages for job_id in page} == ids


def test_jobs_that_come_and_go_shift_no_page(database: Database) -> None:
    ids = [submit(database, now=after(n)).id for n in range(8)]
    first, cursor = database.jobs.page(limit=3)
    assert [job.id for job in first] == ids[:4:-1]
    for n in range(5):
        submit(database, now=after(100 + n))
    # The one that the cursor names, too.
    for gone in (ids[7], ids[5], ids[3]):
        database.jobs.delete(gone)
    second, cursor = database.jobs.page(limit=3, cursor=cursor)
    assert [job.id for job in second] == [ids[4], ids[2], ids[1]]
    third, cursor = database.jobs.page(limit=3, cursor=cursor)
    assert ([job.id for job in third], cursor) == ([ids[0]], None)


def test_a_page_has_whole_jobs(database: Database) -> None:
    held = running(database, now=NOON)
    database.jobs.succeed(held.job.id, held.token, [artefact(held, "field"), artefact(held, "warped")])
    submit(database, now=after(1))
    jobs, _ = database.jobs.page()
    assert jobs == [database.jobs.get(job.id) for job in jobs]
    assert [len(job.artefacts) for job in jobs] == [0, 2]


def test_filters_narrow_and_combine(database: Database) -> None:
    add_volume(database, 1)
    project = submit(database, ProjectRequest(volume=volume_id(1), subject="S1"), now=after(1)).id
    other = submit(database, ProjectRequest(volume=volume_id(1), subject="S2"), now=after(2)).id
    rebuild = submit(database, ReconstructRequest(coefficients=(1.0,)), now=after(3)).id
    nothing = submit(database, NothingRequest(), now=after(4)).id
    claim(database, nothing)
    assert all_pages(database, 10, kind="project") == [[other, project]]
    assert all_pages(database, 10, subject="S1") == [[project]]
    assert all_pages(database, 10, state="running") == [[nothing]]
    assert all_pages(database, 10, kind="project", state="running") == [[]]
    assert all_pages(database, 10, created_after=after(1), created_before=after(4)) == [[rebuild, other]]
    assert all_pages(database, 1, kind="project", state="queued") == [[other], [project]]


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


BAD_CURSORS = [
    "",
    "x",
    "é",
    "AAAA====",
    "../../etc/passwd",
    _encoded(None),
    _encoded(["2026-03-01T12:00:00+00:00"]),
    _encoded(["2026-03-01T12:00:00", "job_1"]),
    _encoded(["yesterday", "job_1"]),
    _encoded([1, 2]),
    _encoded(["2026-03-01T12:00:00+00:00", 2]),
    _encoded(["2026-03-01T12:00:00+00:00", "job_\0"]),
    _encoded({"a": 1, "b": 2}),
    _encoded("[" * 5),
]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
def test_a_cursor_that_is_none_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(OptionInvalidError, match="cursor"):
        database.jobs.page(cursor=cursor)
    with pytest.raises(OptionInvalidError, match="cursor"):
        database.audit.page(cursor=cursor)


def test_times_at_the_ends_of_the_calendar_filter_as_any(database: Database) -> None:
    job = submit(database, now=NOON).id
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23)))
    last = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=23)))
    assert all_pages(database, 5, created_after=first, created_before=last) == [[job]]
    assert all_pages(database, 5, created_before=first) == all_pages(database, 5, created_after=last) == [[]]
    beyond = _encoded([first.isoformat(), "job_1"])
    assert database.jobs.page(cursor=beyond) == ([], None)
