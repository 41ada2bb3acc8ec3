from pathlib import Path

import pytest

from eigenwarp.model.registration import RegistrationModel
from tests.tiny_bundle import tiny_bundle as tiny_bundle


@pytest.fixture(scope="session")
def model(tiny_bundle: Path) -> RegistrationModel:
    return RegistrationModel.load(str(tiny_bundle), device="cpu")
