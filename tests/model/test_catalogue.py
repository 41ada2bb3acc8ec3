import json
import os
from pathlib import Path

import pytest

from eigenwarp.errors import ModelUnknownError
from eigenwarp.model.catalogue import find_bundle, list_bundles
from eigenwarp.settings import model_folders
from tests.tiny_bundle import write_tiny_bundle


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """Two folders that the setting names and a working directory with ``models``."""
    first, second, here = tmp_path / "first", tmp_path / "second", tmp_path / "here"
    for folder in (first, second, here / "models"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("EIGENWARP_MODELS", os.pathsep.join(map(str, (first, second))))
    monkeypatch.chdir(here)
    return first, second, Path("models")


def add(folder: Path, name: str) -> Path:
    return write_tiny_bundle(folder, name, with_basis=False)


def test_configured_folders_come_first_then_models_here_then_our_own(folders: tuple[Path, Path, Path]) -> None:
    found = model_folders()
    assert tuple(found[:3]) == folders
    assert (found[3].parent / "eigenwarp" / "model").is_dir()


def test_without_the_setting_only_the_others_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIGENWARP_MODELS", "")
    assert model_folders()[0] == Path("models")


def test_bundles_are_listed_by_the_name_they_give_themselves(folders: tuple[Path, Path, Path]) -> None:
    path = add(folders[0] / "folder", "brain")
    listed = list_bundles()
    assert listed["brain"][0] == path
    assert listed["brain"][1].name == "brain"
    assert "folder" not in listed
    assert find_bundle("brain") == path
    assert find_bundle("folder") == path
    assert find_bundle(str(path)) == path


def test_of_two_with_one_name_the_first_found_counts(folders: tuple[Path, Path, Path]) -> None:
    for folder in reversed(folders):
        add(folder / "brain", "brain")
    assert list_bundles()["brain"][0] == folders[0] / "brain"
    assert find_bundle("brain") == folders[0] / "brain"


def test_what_is_no_readable_bundle_is_passed_over(folders: tuple[Path, Path, Path]) -> None:
    first, second, _ = folders
    (first / "notes.txt").write_text("x")
    (first / "empty").mkdir()
    (first / "broken").mkdir()
    (first / "broken" / "model.json").write_text("{")
    newer = add(first / "newer", "newer")
    values = json.loads((newer / "model.json").read_text())
    (newer / "model.json").write_text(json.dumps(values | {"format": 2}))
    add(second / "good", "good")
    listed = set(list_bundles())
    assert "good" in listed
    assert not {"broken", "newer", "empty"} & listed


def test_a_folder_that_is_not_there_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIGENWARP_MODELS", str(tmp_path / "nowhere"))
    list_bundles()
    with pytest.raises(ModelUnknownError):
        find_bundle("none-such")


@pytest.mark.parametrize("name", ["none-such", "", "x" * 5000, "a\0b"])
def test_an_unknown_name_is_refused_with_those_that_are_known(name: str, folders: tuple[Path, Path, Path]) -> None:
    add(folders[1] / "brain", "brain")
    with pytest.raises(ModelUnknownError, match=r"found are: .*brain"):
        find_bundle(name)
