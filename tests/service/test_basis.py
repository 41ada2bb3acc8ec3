"""Models and components over HTTP, of a bundle that was really published."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from eigenwarp.client import Client
from eigenwarp.model.bundle import read_manifest
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.components import ComponentRow, ComponentTable
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.models import PublishedList, PublishedManifest
from eigenwarp.settings import Settings
from eigenwarp.volume.nifti import segmentation_from_bytes, volume_from_bytes
from tests.service.web_server import WebServer, running_web
from tests.tiny_bundle import COMPONENTS, write_tiny_bundle
from worker.components import describe_components


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ComponentTable]:
    folder = write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")
    return folder, describe_components(RegistrationModel.load(str(folder), "cpu"))


@pytest.fixture
def published(settings: Settings, bundle: tuple[Path, ComponentTable]) -> Iterator[tuple[WebServer, ModelReference]]:
    with running_web(settings.model_copy(update={"default_model": "tiny"})) as web:
        yield web, web.resources.models.publish(*bundle)


def get(web: WebServer, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{web.url}{path}", headers=headers)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_the_table_is_the_one_that_was_published(
    published: tuple[WebServer, ModelReference], bundle: tuple[Path, ComponentTable]
) -> None:
    web, reference = published
    for path in ("/components", "/components?model=tiny", f"/components?model=tiny@{reference.version}"):
        assert ComponentTable.model_validate_json(get(web, path).content) == bundle[1]
    for k in range(1, COMPONENTS + 1):
        row = ComponentRow.model_validate_json(get(web, f"/components/{k}").content)
        assert row == bundle[1].rows[k - 1]


@pytest.mark.parametrize("k", [0, -1, COMPONENTS + 1, 10**12])
def test_there_is_no_other_component(published: tuple[WebServer, ModelReference], k: int) -> None:
    answer = get(published[0], f"/components/{k}")
    assert code(answer) == (404, "component-out-of-range")
    assert f"1 to {COMPONENTS}" in answer.json()["detail"]


def test_who_has_it_already_is_told_so(published: tuple[WebServer, ModelReference]) -> None:
    web, _ = published
    for path in ("/components", "/components/1"):
        tag = get(web, path).headers["etag"]
        held = get(web, path, **{"If-None-Match": f'"other", {tag}'})
        assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", tag)
        assert get(web, path, **{"If-None-Match": '"other"'}).status_code == 200
    assert get(web, "/components/1").headers["etag"] != get(web, "/components/2").headers["etag"]


def test_only_a_pinned_version_may_be_kept(published: tuple[WebServer, ModelReference]) -> None:
    web, reference = published
    assert "no-cache" in get(web, "/components").headers["cache-control"]
    assert "immutable" in get(web, f"/components?model=tiny@{reference.version}").headers["cache-control"]


@pytest.mark.parametrize("model", ["other", "tiny@000000000000"])
def test_an_unknown_model_is_named_beside_those_there_are(
    published: tuple[WebServer, ModelReference], model: str
) -> None:
    answer = get(published[0], f"/components?model={model}")
    assert code(answer) == (404, "model-unknown")
    assert model in answer.json()["detail"]
    assert f"tiny@{published[1].version}" in answer.json()["detail"]


@pytest.mark.parametrize("model", ["../secrets", "Tiny", "", "tiny@latest"])
def test_what_is_no_models_name_is_refused(published: tuple[WebServer, ModelReference], model: str) -> None:
    assert code(get(published[0], f"/components?model={model}")) == (422, "request-invalid")


def test_a_versions_template_and_its_labels_are_those_of_the_bundle(
    published: tuple[WebServer, ModelReference], bundle: tuple[Path, ComponentTable]
) -> None:
    web, reference = published
    path = f"/models/{reference.name}/{reference.version}/template"
    for suffix, file in (("", "template.nii.gz"), ("/labels", "template_labels.nii.gz")):
        answer = get(web, path + suffix)
        assert answer.content == (bundle[0] / file).read_bytes()
        assert answer.headers["etag"].strip('"') == read_manifest(bundle[0]).files[file]
        assert "immutable" in answer.headers["cache-control"]
        assert get(web, path + suffix, **{"If-None-Match": answer.headers["etag"]}).status_code == 304
    with Client(web.url) as client:
        template = volume_from_bytes(client.template(reference.name, reference.version))
        assert (
            segmentation_from_bytes(client.template_labels(reference.name, reference.version)).shape == template.shape
        )
    assert code(get(web, "/models/tiny/000000000000/template")) == (404, "model-unknown")


def test_models_are_listed_with_their_standing(
    published: tuple[WebServer, ModelReference], bundle: tuple[Path, ComponentTable]
) -> None:
    web, reference = published
    (row,) = PublishedList.model_validate_json(get(web, "/models").content).models
    assert (row.name, row.version, row.latest) == ("tiny", reference.version, True)
    manifest = PublishedManifest.model_validate_json(get(web, f"/models/tiny/{reference.version}").content)
    assert manifest.published_at == row.published_at
    assert manifest.model_dump(exclude={"published_at", "latest"}) == read_manifest(bundle[0]).model_dump()


def test_a_model_published_meanwhile_is_there_without_a_restart(
    settings: Settings, bundle: tuple[Path, ComponentTable]
) -> None:
    with running_web(settings) as web:
        assert get(web, "/models").json() == {"models": []}
        assert code(get(web, "/components?model=tiny")) == (404, "model-unknown")
        web.resources.models.publish(*bundle)
        assert get(web, "/components?model=tiny").status_code == 200


@pytest.mark.parametrize("path", ["tiny/000000000000", "other/0123456789ab", "tiny/%2e%2e"])
def test_an_unknown_version_is_no_document(published: tuple[WebServer, ModelReference], path: str) -> None:
    answer = get(published[0], f"/models/{path}")
    assert answer.status_code == 404
    assert code(answer)[1] in ("model-unknown", "not-found")
