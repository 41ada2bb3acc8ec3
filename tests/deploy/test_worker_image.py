"""The worker image's whole installation and its entry command; asked for by ``EIGENWARP_WORKER_IMAGE=1``."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.image_build import ImageBuild
from tests.deploy.project import ROOT
from tests.servers.processes import running
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.slow


def test_the_worker_images_entry_command_consumes(
    worker_image: ImageBuild, redis_server: RedisServer, tmp_path: Path
) -> None:
    worker_image.build()
    environment = worker_image.container_environment(
        {
            "EIGENWARP_HOME": str(tmp_path / "home"),
            "EIGENWARP_MODELS": str(ROOT / "models"),
            "EIGENWARP_REDIS_URL": redis_server.url,
            "EIGENWARP_DEVICE": "cpu",
        }
    )
    for arguments in (["migrate"], ["models", "publish", "hippocampus"]):
        worker_image.run(worker_image.in_container(["eigenwarp", *arguments], environment), environment)
    check = worker_image.in_container(worker_image.dockerfile.health_command, environment)

    def consumes() -> bool:
        return subprocess.run(check, env=environment, capture_output=True).returncode == 0

    assert not consumes()
    variables = [f"{name}={value}" for name, value in environment.items()]
    command = ["env", "-i", *variables, *worker_image.in_container(worker_image.dockerfile.entry_command, environment)]
    with running(command, tmp_path / "worker.log") as server:
        server.wait_until(consumes, "the worker consumes")
