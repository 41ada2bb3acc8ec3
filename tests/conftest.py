"""Where the tests find real data, and how thoroughly hypothesis searches."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Fixtures: real servers, started by whoever asks for one.
pytest_plugins = ["tests.servers.postgres", "tests.servers.redis", "tests.servers.s3"]

# The same examples on every run, so that a red run can be repeated; no deadline, as the machine may be busy.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def _data_folder(setting: str) -> Path:
    folder = os.environ.get(setting)
    if not folder:
        pytest.skip(f"{setting} names no folder: real data is not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def hippocampus() -> Path:
    """The hippocampus data set: images/, labels/, split.json."""
    return _data_folder("EIGENWARP_DATA")


@pytest.fixture(scope="session")
def lung() -> Path:
    """Proton MR of the lungs: images/, lung_masks/, lobe_masks/."""
    return _data_folder("EIGENWARP_LUNG_DATA")


@pytest.fixture(scope="session")
def dicom() -> Path:
    """MR series in DICOM: study1_hippocampus_crop/, study3_hippocampus_crop/, study3_t1/."""
    return _data_folder("EIGENWARP_DICOM_DATA")
