from pathlib import Path

import pytest
import torch

from eigenwarp.model.bundle import load_bundle
from eigenwarp.model.precision import Precision
from eigenwarp.model.registration import RegistrationModel
from tests.tiny_bundle import tiny_bundle as tiny_bundle


@pytest.fixture
def model(tiny_bundle: Path) -> RegistrationModel:
    """The tiny bundle's model on the CPU, float32 throughout."""
    return RegistrationModel(load_bundle(tiny_bundle), torch.device("cpu"), Precision.FLOAT32)
