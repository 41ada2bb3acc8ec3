"""``eigenwarp migrate``, run as a shell runs it."""

from pathlib import Path

import pytest

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.stores.database import open_database
from tests.cli.test_commands import eigenwarp
from tests.servers.ports import free_port


def _check(url: str) -> None:
    database = open_database(url)
    try:
        database.check()
    finally:
        database.close()


def test_it_makes_the_database_in_the_data_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        done = eigenwarp("migrate", EIGENWARP_HOME=str(home))
        assert done.returncode == 0, done.stderr
    _check(f"sqlite:///{home / 'eigenwarp.sqlite3'}")


def test_it_migrates_the_server_that_a_secret_names(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="eigenwarp migrate"):
        _check(postgres_url)
    secret = tmp_path / "database-url"
    secret.write_text(f"{postgres_url}\n")
    done = eigenwarp("migrate", EIGENWARP_DATABASE_URL_FILE=str(secret))
    assert done.returncode == 0, done.stderr
    _check(postgres_url)


def test_a_server_that_is_away_is_a_line_and_not_a_traceback() -> None:
    done = eigenwarp("migrate", EIGENWARP_DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{free_port()}/eigenwarp")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "eigenwarp: error: the database does not answer"
    assert "secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
