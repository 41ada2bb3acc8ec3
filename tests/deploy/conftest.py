"""The worker's image, and which tests here are not collected where what they need is not asked for or not to be had."""

import os
import shutil
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Dockerfile
from tests.deploy.image_build import ImageBuild
from tests.deploy.project import ROOT

collect_ignore = []
# Its whole installation takes minutes and 1.6 GB.
if "EIGENWARP_WORKER_IMAGE" not in os.environ:
    collect_ignore.append("test_worker_image.py")
# Compose's own program comes neither from PyPI nor from Debian 12 in the version that reads our files.
if shutil.which("docker-compose") is None:
    collect_ignore.append("test_compose_program.py")


@pytest.fixture
def worker_image(tmp_path: Path) -> ImageBuild:
    """From pip's own index, as the tests' torch is; no other index is named unless the builder does."""
    dockerfile = Dockerfile.read(ROOT / "Dockerfile.gpu")
    assert dockerfile.arguments["TORCH_INDEX"] == ""
    return ImageBuild(dockerfile, tmp_path)
