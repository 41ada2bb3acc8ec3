"""The configuration: what is right is read, what is wrong is named with its value."""

from pathlib import Path

import pytest

from bridge.config import read_config
from bridge.config.reading import read_secret
from bridge.dicom.region import PatientBox
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
        ('name = "hippocampus"', 'name = "hippocampus"\nrole = "still"', "rules.0.role.*'still'"),
        ('name = "hippocampus"', 'name = "hippocampus"\nrole = "moving"\nreference = "prior"', "no labels to bring"),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nrole = "moving"\nreference = "file"\nreference_file = "a.nii.gz"',
            "need reference_labels",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nsegmentation = {margin_mm = 3}',
            "rules.0.segmentation.*neither series_description nor label",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nsegmentation = {label = "left", margin_mm = -3}',
            "rules.0.segmentation.margin_mm.*-3",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nsegmentation = {label = "(left"}',
            "rules.0.segmentation.label.*'.left' is no regular",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nbox = {corners = [[0, 0, 0], [10, 0, 10]]}',
            "rules.0.box.*extent along y, got 0 to 0 mm",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nbox = {centre = [0, 0, 0], size = [10, -5, 10]}',
            "rules.0.box.size.*-5 mm along y",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nbox = {centre = [0, 0, 0]}',
            "rules.0.box.*centre and size go together",
        ),
        ('name = "hippocampus"', 'name = "hippocampus"\nbox = {}', "rules.0.box.*either corners or centre and size"),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nbox = {corners = [[0, 0], [10, 10]]}',
            "rules.0.box.corners.0.2",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nbox = {corners = [[0, 0, 0], [10, 10, inf]]}',
            "rules.0.box.corners.1.2.*inf",
        ),
        (
            'name = "hippocampus"',
            'name = "hippocampus"\nlocalize = {side = "left"}\nbox = {centre = [0, 0, 0], size = [9, 9, 9]}',
            "localize and box: a rule has one region",
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


@pytest.mark.parametrize(
    "box", ["corners = [[5, -2, 30], [-5, 8, 10.5]]", "centre = [0, 3, 20.25], size = [10, 10, 19.5]"]
)
def test_a_box_is_two_corners_or_centre_and_size(tmp_path: Path, box: str) -> None:
    named = GOOD.replace('name = "hippocampus"', f'name = "hippocampus"\nbox = {{{box}}}')
    found = read_config(written(tmp_path, named)).rules[0].box
    assert found is not None
    assert found.in_patient() == PatientBox((-5.0, -2.0, 10.5), (5.0, 8.0, 30.0))


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
