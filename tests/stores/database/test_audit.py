"""The audit trail, in both databases."""

import base64
import json

import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.stores.database import AuditEntry, Database
from tests.stores.database.samples import add_volume, after, projected, submit, volume_id


def entry(number: int, caller: str = "key-1", target: str = "S1") -> AuditEntry:
    return AuditEntry(
        at=after(number), caller=caller, action="subject.read", target=target, outcome="done", request_id=f"r{number}"
    )


def test_entries_come_newest_first_in_pages(database: Database) -> None:
    written = [entry(n) for n in range(5)]
    for one in written:
        database.audit.add(one)
    first, cursor = database.audit.page(limit=3)
    database.audit.add(entry(9))
    second, end = database.audit.page(limit=3, cursor=cursor)
    assert first + second == written[::-1]
    assert end is None


def test_entries_of_the_same_moment_are_not_lost_between_pages(database: Database) -> None:
    for caller in "abcdefghijk":
        database.audit.add(entry(0, caller))
    seen, cursor = database.audit.page(limit=4)
    while cursor is not None:
        more, cursor = database.audit.page(limit=4, cursor=cursor)
        seen += more
    assert "".join(one.caller for one in seen) == "kjihgfedcba"


def test_entries_are_found_by_caller_and_target(database: Database) -> None:
    for one in (entry(1, "a", "S1"), entry(2, "b", "S1"), entry(3, "a", "S2")):
        database.audit.add(one)
    assert [one.at for one in database.audit.page(caller="a")[0]] == [after(3), after(1)]
    assert [one.at for one in database.audit.page(target="S1")[0]] == [after(2), after(1)]
    assert database.audit.page(caller="b", target="S2") == ([], None)


def test_a_number_beyond_all_rows_is_no_cursor(database: Database) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([after(0).isoformat(), "9" * 40]).encode()).decode()
    with pytest.raises(OptionInvalidError, match="cursor"):
        database.audit.page(cursor=cursor)


def test_an_erasure_keeps_the_entries_but_not_what_they_were_about(database: Database) -> None:
    add_volume(database, 1, subject="S1")
    add_volume(database, 2, subject="S2")
    job, other = projected(database, 1, "S1"), submit(database)
    for number, target in enumerate(("S1", volume_id(1), job.id, "S2", volume_id(2), other.id)):
        database.audit.add(entry(number, target=target))
    database.subjects.erase("S1")
    targets = [one.target for one in database.audit.page()[0]]
    assert targets == [other.id, volume_id(2), "S2", "erased", "erased", "erased"]
