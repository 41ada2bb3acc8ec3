"""Published models: whole or not there, pinned by version, fetched unaltered."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eigenwarp.errors import BundleInvalidError, ModelUnknownError
from eigenwarp.model.bundle import load_bundle, read_manifest
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.components import ComponentTable
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.requests import DeformationRequest, FigureRequest
from eigenwarp.stores.models import ModelStore, derived_key
from eigenwarp.stores.objects import FolderStore, ObjectStore
from tests.tiny_bundle import COMPONENTS, write_tiny_bundle
from tests.tiny_bundle import tiny_bundle as tiny_bundle
from worker.components import describe_components


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return FolderStore(tmp_path / "objects")


@pytest.fixture
def models(objects: ObjectStore) -> ModelStore:
    return ModelStore(objects)


@pytest.fixture(scope="module")
def table(tiny_bundle: Path) -> ComponentTable:
    return describe_components(RegistrationModel.load(str(tiny_bundle), "cpu"))


def other_version(folder: Path) -> ComponentTable:
    """Another bundle of the same name, written into ``folder``; its components table."""
    write_tiny_bundle(folder, with_basis=False)
    manifest = read_manifest(folder)
    return ComponentTable(model=ModelReference(name=manifest.name, version=manifest.version), rows=[])


def test_a_published_model_is_listed_resolved_and_described(
    models: ModelStore, objects: ObjectStore, tiny_bundle: Path, table: ComponentTable
) -> None:
    reference = models.publish(tiny_bundle, table)
    assert reference == table.model
    fresh = ModelStore(objects)
    assert fresh.resolve("tiny") == fresh.resolve(f"tiny@{reference.version}") == reference
    assert [(model.reference, model.latest) for model in fresh.list()] == [(reference, True)]
    assert fresh.manifest(reference) == read_manifest(tiny_bundle)
    assert len(fresh.components(reference).rows) == COMPONENTS
    assert fresh.components(reference) == table


def test_publishing_again_changes_nothing(
    models: ModelStore, objects: ObjectStore, tiny_bundle: Path, table: ComponentTable
) -> None:
    models.publish(tiny_bundle, table)
    before = {found.key: objects.get(found.key) for found in objects.list("models/")}
    models.publish(tiny_bundle, table)
    assert {found.key: objects.get(found.key) for found in objects.list("models/")} == before


def test_a_new_version_is_picked_up_by_a_store_that_is_open_and_the_old_one_stays(
    models: ModelStore, objects: ObjectStore, tiny_bundle: Path, table: ComponentTable, tmp_path: Path
) -> None:
    first = models.publish(tiny_bundle, table)
    assert models.resolve("tiny") == first
    second = ModelStore(objects).publish(tmp_path / "next", other_version(tmp_path / "next"))
    assert second.version != first.version
    assert models.resolve("tiny") == second
    assert models.resolve(f"tiny@{first.version}") == first
    assert [(model.reference, model.latest) for model in models.list()] == [(second, True), (first, False)]


def test_a_model_without_its_last_file_is_not_there(
    models: ModelStore, objects: ObjectStore, tiny_bundle: Path, table: ComponentTable
) -> None:
    reference = models.publish(tiny_bundle, table)
    objects.delete(f"models/tiny/{reference.version}/model.json")
    interrupted = ModelStore(objects)
    assert interrupted.list() == []
    with pytest.raises(ModelUnknownError, match="published are: none"):
        interrupted.resolve("tiny")


@pytest.mark.parametrize("name", ["other", "other@0123456789ab", "tiny@0123456789ab"])
def test_an_unknown_model_is_refused_with_the_names_that_exist(
    models: ModelStore, tiny_bundle: Path, table: ComponentTable, name: str
) -> None:
    reference = models.publish(tiny_bundle, table)
    with pytest.raises(ModelUnknownError, match=f"tiny@{reference.version}"):
        models.resolve(name)


def test_an_altered_bundle_is_not_published(
    models: ModelStore, tiny_bundle: Path, table: ComponentTable, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_bundle, tmp_path / "altered")
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleInvalidError, match=r"weights\.safetensors was altered"):
        models.publish(folder, table)
    assert models.list() == []


def test_components_of_another_model_are_not_published(
    models: ModelStore, tiny_bundle: Path, table: ComponentTable
) -> None:
    wrong = table.model_copy(update={"model": ModelReference(name="tiny", version="0" * 12)})
    with pytest.raises(BundleInvalidError, match="components of tiny@000000000000"):
        models.publish(tiny_bundle, wrong)


def test_a_fetched_bundle_can_be_loaded_and_is_fetched_once(
    models: ModelStore, objects: ObjectStore, tiny_bundle: Path, table: ComponentTable, tmp_path: Path
) -> None:
    reference = models.publish(tiny_bundle, table)
    folder = models.fetch(reference, tmp_path / "cache")
    assert load_bundle(folder).version == reference.version
    objects.delete_prefix("models/")
    assert models.fetch(reference, tmp_path / "cache") == folder


def test_a_damaged_copy_is_fetched_again(
    models: ModelStore, tiny_bundle: Path, table: ComponentTable, tmp_path: Path
) -> None:
    reference = models.publish(tiny_bundle, table)
    folder = models.fetch(reference, tmp_path / "cache")
    (folder / "basis.safetensors").write_bytes(b"")
    assert load_bundle(models.fetch(reference, tmp_path / "cache")).version == reference.version


def test_an_altered_object_is_refused_and_nothing_is_kept(
    models: ModelStore, objects: ObjectStore, tiny_bundle: Path, table: ComponentTable, tmp_path: Path
) -> None:
    reference = models.publish(tiny_bundle, table)
    objects.put(f"models/tiny/{reference.version}/basis.safetensors", b"else")
    with pytest.raises(BundleInvalidError, match="was altered"):
        models.fetch(reference, tmp_path / "cache")
    objects.delete(f"models/tiny/{reference.version}/basis.safetensors")
    with pytest.raises(BundleInvalidError, match="basis"):
        models.fetch(reference, tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_several_may_fetch_at_once(
    models: ModelStore, tiny_bundle: Path, table: ComponentTable, tmp_path: Path
) -> None:
    reference = models.publish(tiny_bundle, table)
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(lambda _: models.fetch(reference, tmp_path / "cache"), range(16)))
    assert len(folders) == 1
    assert load_bundle(folders.pop()).version == reference.version
    assert [path.name for path in (tmp_path / "cache" / "models" / "tiny").iterdir()] == [reference.version]


def test_what_is_derived_has_one_key_per_request(tiny_bundle: Path, table: ComponentTable) -> None:
    deformation = DeformationRequest(component=1, scale=-0.0)
    assert derived_key(table.model, deformation) == derived_key(table.model, DeformationRequest(component=1, scale=0))
    requests = [
        deformation,
        DeformationRequest(component=2, scale=0),
        DeformationRequest(component=1, scale=1e-7),
        DeformationRequest(component=1, scale=0, unit="latent"),
        DeformationRequest(component=1, scale=0, field_format="ras"),
        FigureRequest(component=1, scale=0),
    ]
    assert len({derived_key(table.model, request) for request in requests}) == len(requests)
