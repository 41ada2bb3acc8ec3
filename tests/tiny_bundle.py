"""A complete bundle of a small untrained network, for tests of what is built on models.

Use it by importing the fixture into a ``conftest.py``: ``from tests.tiny_bundle import tiny_bundle as tiny_bundle``.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from eigenwarp.basis import Basis
from eigenwarp.model import Architecture, RegistrationNetwork
from eigenwarp.model.bundle import save_bundle
from eigenwarp.preprocess import Preprocessing
from eigenwarp.schemas.manifest import Provenance
from eigenwarp.volume import Segmentation, Volume
from training.data.synthetic import make_subject

SHAPE = (16, 16, 16)
LABELS = {"head": 1, "body": 2}
COMPONENTS = 3
SUBJECTS = 8
DECODER_GAIN = 100


def blob(seed: int) -> tuple[Volume, Segmentation]:
    """A synthetic subject of 16³ voxels of 1 mm with a head (1) and a body (2)."""
    volume, segmentation, _ = make_subject(np.random.default_rng(seed), SHAPE)
    return volume, segmentation


def write_tiny_bundle(
    folder: Path, name: str = "tiny", *, with_basis: bool = True, shape: tuple[int, int, int] = SHAPE
) -> Path:
    """An untrained network with a segmentation head, a basis of three components and a template.

    Args:
        shape: of the model's grid; a large one makes it slow.
    """
    torch.manual_seed(0)
    architecture = Architecture(
        shape=shape,
        channels=(4, 8),
        latent_channels=4,
        full_resolution=False,
        decoder_norm="none",  # type: ignore[arg-type]  # checked by the class itself
        segmentation_classes=len(LABELS),
    )
    network = RegistrationNetwork(architecture).eval()
    # An untrained decoder deforms by hundredths of a millimetre; this one by one or two.
    with torch.no_grad():
        network.decoder.to_gradients.weight *= DECODER_GAIN
    preprocessing = Preprocessing(shape=shape)
    template, template_segmentation = blob(1000)
    save_bundle(
        folder,
        name=name,
        created="2026-01-01T00:00:00Z",
        network=network,
        preprocessing=preprocessing,
        labels=LABELS,
        provenance=Provenance(
            command="none",
            commit="unknown",
            data="synthetic blobs",
            training_subjects=SUBJECTS,
            validation_subjects=0,
            device="cpu",
            steps=0,
            seconds=0.0,
            configuration={},
        ),
        basis=_basis(network, preprocessing) if with_basis else None,
        template=template,
        template_segmentation=template_segmentation,
    )
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle named ``tiny``."""
    return write_tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


def _basis(network: RegistrationNetwork, preprocessing: Preprocessing) -> Basis:
    volumes = [blob(seed)[0] for seed in range(SUBJECTS)]
    prepared = [preprocessing.prepare(volume, preprocessing.grid_for(volume)) for volume in volumes]
    with torch.inference_mode():
        codes = network.encode(torch.from_numpy(np.stack(prepared))[:, None]).numpy()
    mean = codes.mean(axis=0)
    _, singular, directions = np.linalg.svd(codes - mean, full_matrices=False)
    components = directions[:COMPONENTS]
    coefficients = (codes - mean) @ components.T
    left = np.linalg.norm(codes - mean - coefficients @ components, axis=1)
    return Basis(
        mean=mean,
        components=components,
        variances=singular[:COMPONENTS] ** 2 / (SUBJECTS - 1),
        total_variance=float((singular**2).sum() / (SUBJECTS - 1)),
        coefficients=coefficients,
        residuals=left / np.linalg.norm(codes - mean, axis=1),
    )
