"""An experiment on tiny models and synthetic subjects."""

from pathlib import Path

import pytest
import torch

from eigenwarp.model.bundle import load_bundle
from eigenwarp.model.precision import Precision
from eigenwarp.model.registration import RegistrationModel
from tests.tiny_bundle import SHAPE, write_tiny_bundle
from training.data.cohort import open_cohort
from training.data.synthetic import make_cohort
from training.experiment.run import Experiment


def load_tiny(folder: Path) -> RegistrationModel:
    return RegistrationModel(load_bundle(folder), torch.device("cpu"), Precision.FLOAT32)


@pytest.fixture(scope="session")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six subjects to train on, four to validate."""
    return make_cohort(tmp_path_factory.mktemp("data") / "blobs", 10, shape=SHAPE, validation=4)


@pytest.fixture(scope="session")
def skips_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("models") / "tiny-skips", "tiny-skips")


@pytest.fixture
def experiment(model: RegistrationModel, skips_bundle: Path, subjects: Path, tmp_path: Path) -> Experiment:
    return Experiment(
        model=model,
        with_skips=load_tiny(skips_bundle),
        train=open_cohort(subjects, "train"),
        validation=open_cohort(subjects, "validation"),
        out=tmp_path / "report",
    )
