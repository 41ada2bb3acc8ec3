"""``eigenwarp --url``: a service computes, and the answers are those of this machine."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.files import FieldFormat, field_to_bytes
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.components import ComponentTable
from eigenwarp.schemas.report import Report
from eigenwarp.settings import load_settings
from eigenwarp.stores.objects import open_object_store
from eigenwarp.volume.nifti import read_volume, write_segmentation, write_volume
from eigenwarp_cli.up.running import own_environment, running_service
from tests.cli.test_commands import Result, eigenwarp
from tests.servers.ports import free_port
from tests.service.working import publish
from tests.tiny_bundle import COMPONENTS, blob
from worker.engine import component_field, describe_components


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[str]:
    """A service with the tiny model."""
    home = tmp_path_factory.mktemp("service") / "home"
    objects = open_object_store(load_settings({}, home=home))
    publish(objects, tiny_bundle)
    objects.close()
    chosen = {"EIGENWARP_DEFAULT_MODEL": "tiny", "EIGENWARP_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    with running_service(home, "--no-publish", environment=own_environment() | chosen) as made:
        yield made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair and its labels."""
    folder = tmp_path_factory.mktemp("files")
    for name, seed in (("moving", 1), ("fixed", 2)):
        volume, labels = blob(seed)
        write_volume(volume, folder / f"{name}.nii.gz")
        write_segmentation(labels, folder / f"{name}_labels.nii.gz")
    return folder


@pytest.fixture(scope="module")
def model(tiny_bundle: Path) -> RegistrationModel:
    return RegistrationModel.load(str(tiny_bundle))


def succeeded(done: Result) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_registration_writes_what_it_writes_here(url: str, files: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    pair = [files / "moving.nii.gz", files / "fixed.nii.gz"]
    given = ["--moving-segmentation", files / "moving_labels.nii.gz"]
    given += ["--fixed-segmentation", files / "fixed_labels.nii.gz", "--field-format", "ras", "--alignment", "moments"]
    there = succeeded(eigenwarp("--url", url, "register", *pair, *given, "--out", tmp_path / "there"))
    here = succeeded(eigenwarp("register", *pair, *given, "--out", tmp_path / "here", "--model", tiny_bundle))
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert len(names) == 7
    assert {path.name for path in (tmp_path / "there").iterdir()} == names
    for name in names - {"report.json"}:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name
    reports = [Report.model_validate_json((tmp_path / part / "report.json").read_bytes()) for part in ("there", "here")]
    assert reports[0].model_copy(update={"timings_s": reports[1].timings_s}) == reports[1]
    assert "Dice head" in there
    # Its first line has the seconds, its last the folder.
    assert there.splitlines()[1:-1] == here.splitlines()[1:-1]


def test_a_projection_has_the_coefficients_that_it_has_here(url: str, files: Path, model: RegistrationModel) -> None:
    # As by the setting, which stands for the option.
    (document,) = json.loads(succeeded(eigenwarp("project", files / "fixed.nii.gz", EIGENWARP_URL=url)))
    expected = model.basis.project(model.encode(read_volume(files / "fixed.nii.gz")))
    assert np.allclose(document["coefficients"], expected, rtol=1e-4, atol=1e-4)
    assert document["model"]["name"] == "tiny"


def test_the_basis_is_the_one_it_is_here(url: str, model: RegistrationModel, tmp_path: Path) -> None:
    table = ComponentTable.model_validate_json(succeeded(eigenwarp("--url", url, "components", "--json")))
    assert len(table.rows) == COMPONENTS
    assert table == describe_components(model)
    out = tmp_path / "field.nii.gz"
    succeeded(eigenwarp("--url", url, "component", 2, "--scale", -1.5, "--field-format", "niftyreg", "--out", out))
    expected = component_field(model, 2, -1.5, "sd")
    assert out.read_bytes() == field_to_bytes(expected, FieldFormat.NIFTYREG, moving=expected.geometry)


def test_what_is_wrong_is_told_as_here(url: str, files: Path, tmp_path: Path) -> None:
    no_volume = tmp_path / "notes.nii"
    no_volume.write_text("no image at all")
    for arguments, message in (
        (("project", no_volume), f"{no_volume}: not a NIfTI"),
        (("component", 99, "--out", tmp_path / "c.nii"), "component 99"),
        (("components", "--model", "no-such-model"), "no published model 'no-such-model'"),
        (("segment", files / "fixed.nii.gz", "--out", tmp_path / "s.nii"), "--url goes with"),
    ):
        done = eigenwarp("--url", url, *arguments)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
    done = eigenwarp("--url", url, "--key-file", tmp_path / "absent", "components")
    assert "absent: No such file" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [no_volume.name]


def test_nobody_there_is_told_within_seconds() -> None:
    begun = time.monotonic()
    done = eigenwarp("--url", f"http://127.0.0.1:{free_port()}", "components")
    assert done.returncode == 2
    assert "no answer" in done.stderr
    assert time.monotonic() - begun < 30.0
