"""The configuration: what is right is read, what is wrong is named with its value."""

from pathlib import Path

import pytest

from bridge.config import read_config
from bridge.config.reading import read_secret
from eigenwarp.errors import EigenwarpError

GOOD = """
state = "state"
[service]
url = "http://127.0.0.1:8000/"
key_file = "secrets/key"
[archive]
kind = "dicomweb"
url = "http://127.0.0.1:8042/dicom-web"
[[rules]]
name = "hippocampus"
match = {modality = ["MR"], series_description = "(?i)hippo"}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "bridge.toml"
    path.write_text(text)
    return path


def test_paths_are_seen_from_the_file_and_defaults_are_safe(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, GOOD))
    assert config.state == tmp_path / "state"
    assert config.service.key_file == tmp_path / "secrets/key"
    assert config.service.url == "http://127.0.0.1:8000"
    assert config.listener is not None
    assert config.listener.host == "127.0.0.1"
    assert config.rules[0].outputs == ("segmentation", "measurements", "report")


@pytest.mark.parametrize(
    ("change", "into", "named"),
    [
        ('state = "state"', 'state = "state"\nworker = 3', "worker"),
        ("http://127.0.0.1:8000/", "ftp://here", "service.url.*'ftp://here'"),
        ('kind = "dicomweb"', 'kind = "ftp"', "archive.*'ftp'"),
        ('modality = ["MR"], series_description = "(?i)hippo"', "", "rules.0.match.*no criterion"),
        ('"(?i)hippo"', '"(hippo"', "series_description.*no regular expression"),
        ('name = "hippocampus"', 'name = "Hippo Campus"', "rules.0.name.*'Hippo Campus'"),
        ("[archive]", "[listener]\nae_title = 'FAR TOO LONG A TITLE'\n[archive]", "listener.ae_title.*FAR TOO"),
        ("[archive]", "[listener]\nhost = '0.0.0.0'\n[archive]", "listener.*no peers are named"),
        ("[archive]", "[complete]\nquiet_seconds = -1\n[archive]", "complete.quiet_seconds.*-1"),
        ('name = "hippocampus"', 'name = "hippocampus"\nreference = "file"', "reference_file"),
        ('name = "hippocampus"', 'name = "hippocampus"\noutputs = ["sculpture"]', "outputs.0.*'sculpture'"),
        ('name = "hippocampus"', 'name = "hippocampus"\nconversion = {position_tolerance_mm = 9}', "position_mm.*9"),
        ('name = "hippocampus"', 'name = "hippocampus"\nlocalize = {}', "localize.side"),
        (':8042/dicom-web"', ':8042/dicom-web"\nauthority = "ca.pem"', "archive.*for https://.*'http://127"),
        (':8042/dicom-web"', ':8042/dicom-web"\nkey = "own.key"', "archive.*key.*own.key' without a certificate"),
        (
            'kind = "dicomweb"\nurl = "http://127.0.0.1:8042/dicom-web"',
            'kind = "dimse"\nae_title = "A"\nhost = "h"\nport = 104\ncertificate = "own.pem"',
            "archive.*own.pem' without the authority",
        ),
        (
            'kind = "dicomweb"\nurl = "http://127.0.0.1:8042/dicom-web"',
            'kind = "dimse"\nae_title = "PACS"\nhost = "h"\nport = 104\nretrieve = "move"\n'
            '[listener]\npeers = [{ae_title = "SCANNER"}]',
            "archive.retrieve = 'move': 'PACS', which sends, is none of listener.peers",
        ),
        ("8042/", '8042/" \nuser = "me\n', "archive|TOML|character"),
        (
            "[[rules]]",
            "[[rules]]\nname='hippocampus'\nmatch={modality=['CT']}\n[[rules]]",
            "two are named 'hippocampus'",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_value(tmp_path: Path, change: str, into: str, named: str) -> None:
    assert change in GOOD
    with pytest.raises(EigenwarpError, match=f"(?s)bridge.toml.*{named}"):
        read_config(written(tmp_path, GOOD.replace(change, into, 1)))


def test_a_password_in_a_url_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(EigenwarpError, match="password_file"):
        read_config(written(tmp_path, GOOD.replace("http://127.0.0.1:8042", "http://me:secret@127.0.0.1:8042")))


def test_a_secret_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(EigenwarpError, match=r"service.key_file: .*nowhere"):
        read_secret(tmp_path / "nowhere", "service.key_file")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(EigenwarpError, match="empty is empty"):
        read_secret(tmp_path / "empty", "service.key_file")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EigenwarpError, match=r"nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")
