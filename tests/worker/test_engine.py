"""Models are loaded once, kept, and dropped when there are too many."""

from pathlib import Path

import pytest

from eigenwarp.model.bundle import read_manifest
from eigenwarp.schemas.document import ModelReference
from tests.tiny_bundle import write_tiny_bundle
from worker.engine import Engine


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bundles")
    return {name: write_tiny_bundle(root / name, name) for name in ("one", "two", "three")}


class Source:
    """Hands out bundles and notes which."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders = folders
        self.asked: list[str] = []

    def reference(self, name: str) -> ModelReference:
        return ModelReference(name=name, version=read_manifest(self.folders[name]).version)

    def __call__(self, reference: ModelReference) -> Path:
        self.asked.append(reference.name)
        return self.folders[reference.name]


def test_a_pinned_model_is_fetched_and_loaded_once(folders: dict[str, Path]) -> None:
    engine, source = Engine("cpu"), Source(folders)
    first = engine.pinned(source.reference("one"), source)
    assert engine.pinned(source.reference("one"), source) is first
    assert source.asked == ["one"]


def test_the_least_recently_used_model_makes_room(folders: dict[str, Path]) -> None:
    engine, source = Engine("cpu", capacity=2), Source(folders)
    for name in ("one", "two", "one", "three", "one", "two"):
        engine.pinned(source.reference(name), source)
    assert source.asked == ["one", "two", "three", "two"]


def test_a_name_and_a_pin_are_told_apart(folders: dict[str, Path]) -> None:
    engine, source = Engine("cpu"), Source(folders)
    by_folder = engine.model(str(folders["one"]))
    assert engine.model(str(folders["one"])) is by_folder
    assert engine.pinned(source.reference("one"), source) is not by_folder
