"""API keys, in both databases."""

import pytest

from eigenwarp.errors import KeyUnknownError
from eigenwarp.stores.database import Database, KeyRecord
from tests.stores.database.samples import NOON, after


def key(number: int) -> KeyRecord:
    return KeyRecord(
        id=f"{number:012x}",
        name=f"key {number} of the Zürich group",
        secret_hash="$argon2id$…",
        scopes=frozenset({"read", "submit"}),
        created_at=after(-number),
        expires_at=after(3600) if number % 2 else None,
    )


def test_a_key_comes_back_as_it_was_added(database: Database) -> None:
    for number in (1, 2):
        database.keys.add(key(number))
        assert database.keys.get(key(number).id) == key(number)


def test_keys_are_listed_oldest_first(database: Database) -> None:
    assert database.keys.list() == []
    for number in (2, 1, 3):
        database.keys.add(key(number))
    assert database.keys.list() == [key(3), key(2), key(1)]


def test_a_revoked_key_stays_revoked_since_the_first_time(database: Database) -> None:
    database.keys.add(key(1))
    assert database.keys.revoke(key(1).id, now=NOON).revoked_at == NOON
    assert database.keys.revoke(key(1).id, now=after(60)).revoked_at == NOON
    assert [one.revoked_at for one in database.keys.list()] == [NOON]


def test_a_key_that_is_none_is_unknown(database: Database) -> None:
    with pytest.raises(KeyUnknownError, match="ffffffffffff"):
        database.keys.get("ffffffffffff")
    with pytest.raises(KeyUnknownError, match="ffffffffffff"):
        database.keys.revoke("ffffffffffff")


def test_a_secret_s_hash_is_in_no_representation() -> None:
    assert "argon2" not in repr(key(1))
