"""The images' installs, line by line in a clean environment, and the entry commands that come of them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.dockerfile import Dockerfile
from tests.deploy.image_build import ImageBuild
from tests.deploy.project import ROOT
from tests.servers.ports import free_port
from tests.servers.processes import running
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> ImageBuild:
    image = ImageBuild(Dockerfile.read(ROOT / "Dockerfile"), tmp_path_factory.mktemp("web"))
    image.build()
    return image


def test_the_web_image_holds_our_packages_and_no_torch(web: ImageBuild) -> None:
    absent = ("torch", "sklearn", "safetensors", "pip", "setuptools")
    program = (
        "from importlib.util import find_spec\n"
        "import eigenwarp, eigenwarp.stores.database, service.app\n"
        f"print([name for name in {absent!r} if find_spec(name)], eigenwarp.__file__)"
    )
    environment = web.container_environment({})
    output = web.run(web.in_container(["python", "-c", program], environment), environment)
    assert output.startswith("[] ")
    assert web.here("/opt/eigenwarp") in output


@pytest.fixture
def address(web: ImageBuild, redis_server: RedisServer, tmp_path: Path) -> Iterator[str]:
    """The entry command, serving SQLite and a folder on the loopback."""
    port = free_port()
    environment = web.container_environment(
        {
            "EIGENWARP_HOME": str(tmp_path / "home"),
            "EIGENWARP_HOST": "127.0.0.1",
            "EIGENWARP_PORT": str(port),
            "EIGENWARP_REDIS_URL": redis_server.url,
        }
    )
    web.run(web.in_container(["eigenwarp", "migrate"], environment), environment)
    variables = [f"{name}={value}" for name, value in environment.items()]
    command = ["env", "-i", *variables, *web.in_container(web.dockerfile.entry_command, environment)]
    with running(
        ["env", "-i", *(f"{k}={v}" for k, v in environment.items()), *command], tmp_path / "web.log"
    ) as server:
        url = f"http://127.0.0.1:{port}"
        server.wait_until(lambda: _status(f"{url}/healthz") == 200, "/healthz is green")
        yield url


def test_the_web_images_entry_command_serves(web: ImageBuild, address: str) -> None:
    assert _status(f"{address}/readyz") == 200
    environment = web.container_environment({})
    check = [word.replace("http://127.0.0.1:8000", address) for word in web.dockerfile.health_command]
    assert check != web.dockerfile.health_command
    web.run(web.in_container(check, environment), environment)


def test_every_line_of_the_worker_images_lock_can_be_installed_as_a_wheel(worker_image: ImageBuild) -> None:
    output = worker_image.resolve_the_lock()
    (torch,) = [line for line in (ROOT / "requirements-worker.lock").read_text().split() if line.startswith("torch==")]
    first, second = [line for line in output.splitlines() if line.startswith("Would install")]
    for line in (first, second):
        assert f" {torch.replace('==', '-')}" in line


def _status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=10).status_code
    except httpx.TransportError:
        return None
