"""A workplace of small untrained networks and synthetic subjects in files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eigenwarp.model import RegistrationNetwork
from eigenwarp.model.architecture import Skips
from eigenwarp.model.bundle import Bundle, load_bundle
from eigenwarp.model.precision import Precision
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume.nifti import write_segmentation, write_volume
from tests.tiny_bundle import COMPONENTS, DECODER_GAIN, LABELS, blob
from training.basis import encode_cohort
from training.data.cohort import Cohort, open_cohort
from training.experiment.beyond.principal import principal_basis
from training.experiment.stage import Workplace
from training.tensors import PreparedCohort, prepare_cohort

TRAIN, VALIDATION = 12, 6


def _cohort(folder: Path, seeds: range) -> Cohort:
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for seed in seeds:
        volume, segmentation = blob(seed)
        write_volume(volume, folder / "images" / f"blob_{seed:03d}.nii.gz")
        write_segmentation(segmentation, folder / "labels" / f"blob_{seed:03d}.nii.gz")
    return open_cohort(folder)


def _model(bundle: Bundle, train: PreparedCohort, seed: int, skips: Skips = Skips.NONE) -> RegistrationModel:
    torch.manual_seed(seed)
    network = RegistrationNetwork(replace(bundle.network.architecture, skips=skips)).eval()
    with torch.no_grad():
        network.decoder.to_gradients.weight *= DECODER_GAIN
    codes = np.concatenate(list(encode_cohort(network, train)))
    other = replace(bundle, network=network, basis=principal_basis(codes, COMPONENTS))
    return RegistrationModel(other, torch.device("cpu"), Precision.FLOAT32)


@pytest.fixture(scope="session")
def workplace(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Without a model of another seed."""
    folder = tmp_path_factory.mktemp("experiment")
    train, validation = (
        _cohort(folder / "train", range(TRAIN)),
        _cohort(folder / "validation", range(100, 100 + VALIDATION)),
    )
    bundle = load_bundle(tiny_bundle)
    prepared = [prepare_cohort(cohort, bundle.preprocessing, tuple(LABELS.values())) for cohort in (train, validation)]
    return Workplace(
        model=_model(bundle, prepared[0], 1),
        with_skips=_model(bundle, prepared[0], 2, Skips.SUBTRACTED),
        train=train,
        validation=validation,
        prepared_train=prepared[0],
        prepared_validation=prepared[1],
        figures=folder / "figures",
    )


@pytest.fixture(scope="session")
def with_other_seed(workplace: Workplace, tiny_bundle: Path) -> Workplace:
    """The same with a model of another seed."""
    other = _model(load_bundle(tiny_bundle), workplace.prepared_train, 3)
    return replace(workplace, other_seed=other)
