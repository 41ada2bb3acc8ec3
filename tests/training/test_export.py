from pathlib import Path

import numpy as np
import pytest
import torch

from eigenwarp.errors import BundleInvalidError, OptionInvalidError
from eigenwarp.model.bundle import load_bundle
from eigenwarp.model.registration import RegistrationModel
from tests.tiny_bundle import blob
from tests.training.cohorts import balls, small_config
from training.export import export_bundle, load_run
from training.loop import train
from training.processes import Processes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    config = small_config(name="tiny-balls", optimiser={"steps": 2})
    train(config, balls(), balls(3, seed=1), folder, processes=Processes(0, 1, torch.device("cpu")))
    return folder


def test_a_run_becomes_a_bundle_that_registers(run: Path, tmp_path: Path) -> None:
    written = export_bundle(run, balls(), 3, tmp_path / "bundle", data="balls", components=4)
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.manifest == written
    assert bundle.name == "tiny-balls"
    assert bundle.manifest.labels == {"lower": 1, "upper": 2}
    assert bundle.basis is not None
    assert bundle.basis.count == 4
    assert len(bundle.basis.coefficients) == 6
    assert bundle.template is not None
    assert bundle.template_segmentation is not None
    network, config, _ = load_run(run)
    assert bundle.preprocessing == config.preprocessing
    for name, value in network.state_dict().items():
        assert torch.equal(value, bundle.network.state_dict()[name]), name
    found = RegistrationModel(bundle, torch.device("cpu")).register(blob(0)[0], blob(1)[0])
    assert np.isfinite(found.field.displacement).all()


def test_a_bundle_says_how_it_was_made_and_names_no_place(run: Path, tmp_path: Path) -> None:
    made = export_bundle(run, balls(), 3, tmp_path / "bundle", data="balls, made up", components=2).provenance
    assert made.command == "eigenwarp train tiny-balls"
    assert (made.data, made.training_subjects, made.validation_subjects, made.steps) == ("balls, made up", 6, 3, 2)
    assert made.seconds > 0
    assert made.configuration == small_config(name="tiny-balls", optimiser={"steps": 2}).to_dict()
    text = (tmp_path / "bundle" / "model.json").read_text()
    assert str(tmp_path) not in text
    assert str(run.parent) not in text
    assert str(Path.home()) not in text


def test_a_bundle_without_a_basis(run: Path, tmp_path: Path) -> None:
    manifest = export_bundle(run, balls(), 3, tmp_path / "bundle", data="balls", components=0)
    assert "basis.safetensors" not in manifest.files
    assert load_bundle(tmp_path / "bundle").basis is None


def test_the_incremental_basis_is_exported_too(run: Path, tmp_path: Path) -> None:
    for name, incremental in (("whole", False), ("pieces", True)):
        export_bundle(run, balls(), 3, tmp_path / name, data="balls", components=1, incremental=incremental)
    whole, pieces = (load_bundle(tmp_path / name).basis for name in ("whole", "pieces"))
    assert whole is not None
    assert pieces is not None
    np.testing.assert_allclose(pieces.variances, whole.variances, rtol=0.02)


def test_the_last_checkpoint_can_be_asked_for(run: Path) -> None:
    assert load_run(run, "last")[2].steps == 2


def test_a_run_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalidError, match=r"best\.safetensors"):
        export_bundle(tmp_path, balls(), 3, tmp_path / "bundle", data="balls")


def test_too_many_components_leave_no_bundle(run: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionInvalidError, match="6 subjects"):
        export_bundle(run, balls(), 3, tmp_path / "bundle", data="balls", components=32)
    assert not (tmp_path / "bundle").exists()
