"""``eigenwarp keys`` and ``eigenwarp audit`` as an operator uses them, on a database of their own."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eigenwarp.settings import load_settings
from eigenwarp.stores.database import AuditEntry, open_database
from service.key_text import KeyText
from service.keys import KeyVerifier

PROGRAM = Path(sys.executable).parent / "eigenwarp"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EIGENWARP_")}
    return subprocess.run(
        [PROGRAM, *arguments],
        env={**environment, "EIGENWARP_HOME": str(home)},
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listed(home: Path) -> list[dict[str, object]]:
    answer = run(home, "keys", "list", "--json")
    assert answer.returncode == 0, answer.stderr
    rows: list[dict[str, object]] = json.loads(answer.stdout)
    return rows


def test_a_key_is_made_listed_accepted_and_revoked(home: Path) -> None:
    made = run(home, "keys", "create", "--name", "the [PACS]", "--scope", "read", "--scope", "submit")
    assert made.returncode == 0, made.stderr
    key = KeyText.parse(made.stdout.strip())
    assert key is not None, "standard output holds the key and nothing else"
    assert key.secret not in made.stderr

    (row,) = listed(home)
    assert (row["id"], row["name"], row["scopes"]) == (key.id, "the [PACS]", ["read", "submit"])
    table = run(home, "keys", "list").stdout
    assert key.id in table
    assert "the [PACS]" in table
    assert key.secret not in table

    database = open_database(load_settings({}, home=home).database)
    try:
        assert KeyVerifier(database).verify(key).name == "the [PACS]"
    finally:
        database.close()
    assert run(home, "keys", "revoke", key.id).returncode == 0
    assert listed(home)[0]["revoked_at"] is not None


def test_a_key_goes_into_a_file_for_its_owners_eyes_alone(home: Path) -> None:
    home.mkdir()
    file = home / "key"
    made = run(home, "keys", "create", "--name", "bridge", "--scope", "submit", "--days", "30", "--out", str(file))
    assert made.returncode == 0, made.stderr
    key = KeyText.parse(file.read_text().strip())
    assert key is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key.secret not in made.stdout + made.stderr
    (row,) = listed(home)
    lifetime = datetime.fromisoformat(str(row["expires_at"])) - datetime.fromisoformat(str(row["created_at"]))
    assert lifetime.days == 30


def test_a_file_that_is_there_is_left_alone_and_no_key_is_made(home: Path) -> None:
    home.mkdir()
    (home / "key").write_text("mine")
    refused = run(home, "keys", "create", "--name", "bridge", "--scope", "read", "--out", str(home / "key"))
    assert refused.returncode == 2
    assert "File exists" in refused.stderr
    assert (home / "key").read_text() == "mine"
    assert listed(home) == []


def test_no_file_is_left_where_no_key_could_be_made(home: Path) -> None:
    home.mkdir()
    refused = run(home, "keys", "create", "--name", "", "--scope", "read", "--out", str(home / "key"))
    assert (refused.returncode, (home / "key").exists()) == (2, False)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("keys", "create", "--name", "x"), "--scope"),
        (("keys", "create", "--name", "x", "--scope", "all"), "'read', 'submit', 'admin'"),
        (("keys", "revoke", "0123456789ab"), "no API key '0123456789ab'"),
        (("audit", "--limit", "0"), "--limit"),
    ],
)
def test_a_mistake_is_named_in_a_line(home: Path, arguments: tuple[str, ...], reason: str) -> None:
    answer = run(home, *arguments)
    assert answer.returncode == 2
    assert reason in answer.stderr
    assert "Traceback" not in answer.stderr


def test_audit_lists_accesses_the_latest_first(home: Path) -> None:
    assert run(home, "audit").returncode == 0
    database = open_database(load_settings({}, home=home).database)
    try:
        for minute in range(3):
            at = datetime(2026, 1, 1, 12, minute, tzinfo=UTC)
            database.audit.add(
                AuditEntry(at, "key:a" if minute else "key:b", "subject.read", "s-1", "done", f"r-{minute}")
            )
    finally:
        database.close()

    def requests(*arguments: str) -> list[str]:
        answer = run(home, "audit", "--json", *arguments)
        assert answer.returncode == 0, answer.stderr
        return [json.loads(line)["request_id"] for line in answer.stdout.splitlines()]

    assert requests() == ["r-2", "r-1", "r-0"]
    assert requests("--limit", "2") == ["r-2", "r-1"]
    assert requests("--caller", "key:b") == ["r-0"]
    assert requests("--target", "s-2") == []
    table = run(home, "audit").stdout
    assert "2026-01-01 12:02:00" in table
    assert "subject.read" in table
