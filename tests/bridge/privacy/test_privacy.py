"""Opaque ids and what lies on the disk."""

from pathlib import Path

import pytest

from bridge.config.document import Privacy
from bridge.privacy import SiteSecret, open_secret
from eigenwarp.errors import OptionInvalidError, StoreUnavailableError

KEY = "0123456789abcdef0123456789abcdef-of-the-tests"


def secret(folder: Path, key: str = KEY) -> SiteSecret:
    (folder / "key").write_text(key)
    return open_secret(Privacy(key_file=folder / "key"), folder)


def test_an_id_is_the_same_for_the_same_patient_and_key_and_for_no_other(tmp_path: Path) -> None:
    ids = secret(tmp_path).pseudonyms
    again = secret(tmp_path).pseudonyms
    assert ids.subject("4711", "HOSPITAL") == again.subject("4711", "HOSPITAL")
    others = {
        ids.subject("4711", "OTHER"),
        ids.subject("4712", "HOSPITAL"),
        ids.of("series", "4711"),
        secret(tmp_path, KEY + "!").pseudonyms.subject("4711", "HOSPITAL"),
    }
    assert len(others) == 4
    assert ids.subject("4711", "HOSPITAL") not in others
    assert "4711" not in ids.subject("4711", "HOSPITAL")


def test_what_is_sealed_opens_again_and_shows_nothing(tmp_path: Path) -> None:
    vault = secret(tmp_path).vault
    sealed = vault.seal(b"Avasarala^Chrisjen")
    assert b"Avasarala" not in sealed
    assert sealed != vault.seal(b"Avasarala^Chrisjen")
    assert vault.open(sealed) == b"Avasarala^Chrisjen"


def test_another_key_an_altered_byte_or_no_key_opens_nothing(tmp_path: Path) -> None:
    sealed = secret(tmp_path).vault.seal(b"content")
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for vault, content in (
        (secret(tmp_path, KEY + "!").vault, sealed),
        (secret(tmp_path).vault, altered),
        (secret(tmp_path).vault, sealed[:6]),
        (open_secret(Privacy(), tmp_path).vault, sealed),
        (secret(tmp_path).vault, b"anything else"),
    ):
        with pytest.raises(StoreUnavailableError, match="cannot be opened"):
            vault.open(content)


def test_without_a_key_the_bridge_makes_one_for_its_ids_and_keeps_it_to_itself(tmp_path: Path) -> None:
    first, second = (open_secret(Privacy(), tmp_path).pseudonyms.subject("4711", "") for _ in range(2))
    assert first == second
    assert (tmp_path / "pseudonyms.key").stat().st_mode & 0o077 == 0


def test_a_short_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(OptionInvalidError, match=r"privacy.key_file: 5 characters, at least 32") as raised:
        secret(tmp_path, "short")
    assert "short" not in raised.value.detail.replace("characters", "")
