"""API keys: only hashes are kept, an accepted secret is remembered, a revoked one ends at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from eigenwarp.errors import NotAuthenticatedError, OptionInvalidError
from eigenwarp.stores.database import Database, open_database
from service.key_text import KeyText
from service.keys import KeyVerifier, create_key

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'keys.sqlite3'}")
    opened.migrate()
    yield opened
    opened.close()


class CountingHasher:
    """argon2's own work, counted."""

    def __init__(self, verifier: KeyVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self._lock = threading.Lock()
        real = verifier._hasher.verify

        def verify(stored: str, secret: str) -> bool:
            with self._lock:
                self.calls += 1
            return bool(real(stored, secret))

        monkeypatch.setattr(verifier, "_hasher", self)
        self.verify = verify


def test_a_key_that_was_made_is_accepted_with_its_name_and_scopes(database: Database) -> None:
    key = create_key(database, "pacs", ["read", "submit"])
    caller = KeyVerifier(database).verify(key)
    assert (caller.id, caller.name, caller.scopes) == (f"key:{key.id}", "pacs", frozenset({"read", "submit"}))


def test_the_database_holds_an_argon2id_hash_and_not_the_secret(database: Database, tmp_path: Path) -> None:
    key = create_key(database, "pacs", ["read"])
    parameters = extract_parameters(database.keys.get(key.id).secret_hash)
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19_456, "below what OWASP asks for"
    for file in tmp_path.iterdir():
        assert key.secret.encode() not in file.read_bytes()


def test_a_key_reads_back_from_its_text_and_nothing_else_does() -> None:
    key = KeyText.new()
    assert KeyText.parse(key.reveal()) == key
    for text in (
        "",
        "ew_",
        key.reveal()[:-1],
        key.reveal() + "x",
        f"ew_{key.id.upper()}_{key.secret}",
        "eyJhbGciOi.J9.e",
    ):
        assert KeyText.parse(text) is None, text


def test_two_keys_share_nothing() -> None:
    keys = [KeyText.new() for _ in range(100)]
    assert len({key.id for key in keys}) == len({key.secret for key in keys}) == 100


@pytest.mark.parametrize("wrong", ["secret", "id"])
def test_a_wrong_part_is_refused_and_the_refusal_does_not_say_which(database: Database, wrong: str) -> None:
    key, other = create_key(database, "pacs", ["read"]), KeyText.new()
    tried = KeyText(key.id, other.secret) if wrong == "secret" else KeyText(other.id, key.secret)
    with pytest.raises(NotAuthenticatedError) as refusal:
        KeyVerifier(database).verify(tried)
    assert refusal.value.detail == "the API key is unknown, expired or revoked"


def test_a_revoked_key_ends_at_once_even_where_it_is_remembered(database: Database) -> None:
    verifier, key = KeyVerifier(database), create_key(database, "pacs", ["read"])
    verifier.verify(key)
    assert verifier.is_remembered(key)
    database.keys.revoke(key.id)
    with pytest.raises(NotAuthenticatedError):
        verifier.verify(key)


def test_a_key_holds_until_its_time_is_over(database: Database) -> None:
    verifier, key = KeyVerifier(database), create_key(database, "pacs", ["read"], timedelta(days=1), NOON)
    verifier.verify(key, NOON + timedelta(hours=23))
    with pytest.raises(NotAuthenticatedError):
        verifier.verify(key, NOON + timedelta(days=1))


def test_a_secret_is_hashed_once_however_many_use_it_at_the_same_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, key = KeyVerifier(database), create_key(database, "pacs", ["read"])
    hasher = CountingHasher(verifier, monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        callers = list(pool.map(lambda _: verifier.verify(key), range(32)))
    assert len(callers) == 32
    assert hasher.calls == 1


def test_a_wrong_secret_is_never_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, key = KeyVerifier(database), create_key(database, "pacs", ["read"])
    hasher, wrong = CountingHasher(verifier, monkeypatch), KeyText(key.id, KeyText.new().secret)
    for _ in range(2):
        with pytest.raises(NotAuthenticatedError):
            verifier.verify(wrong)
    assert hasher.calls == 2
    assert not verifier.is_remembered(wrong)


def test_only_so_many_secrets_are_remembered_the_latest_used(database: Database) -> None:
    verifier = KeyVerifier(database, remembered=2)
    first, second, third = (create_key(database, name, ["read"]) for name in "abc")
    for key in (first, second, first, third):
        verifier.verify(key)
    assert [verifier.is_remembered(key) for key in (first, second, third)] == [True, False, True]


def test_no_representation_shows_a_secret(database: Database) -> None:
    verifier, key = KeyVerifier(database), create_key(database, "pacs", ["read"])
    verifier.verify(key)
    record = database.keys.get(key.id)
    for shown in (repr(key), str(key), repr(verifier), repr(record)):
        assert key.secret not in shown
        assert record.secret_hash not in shown


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines"])
def test_a_key_needs_a_fit_name(database: Database, name: str) -> None:
    with pytest.raises(OptionInvalidError, match="1 to 100 printable"):
        create_key(database, name, ["read"])


def test_a_key_needs_a_scope(database: Database) -> None:
    with pytest.raises(OptionInvalidError, match="at least one scope"):
        create_key(database, "pacs", [])
