"""An archive and a service that the bridge's tests share, and a bridge for each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bridge.site import AE_TITLE, Site
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer, running_orthanc
from tests.servers.ports import free_port
from tests.servers.redis import running_redis
from tests.tiny_bundle import write_tiny_bundle


@pytest.fixture(scope="session")
def bridge_port() -> int:
    """Where the archive sends what it is asked to commit itself to."""
    return free_port()


@pytest.fixture(scope="session")
def archive_of_session(tmp_path_factory: pytest.TempPathFactory, bridge_port: int) -> Iterator[OrthancServer]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc"), {AE_TITLE: bridge_port}) as made:
        yield made


@pytest.fixture
def archive(archive_of_session: OrthancServer) -> OrthancServer:
    """An empty Orthanc."""
    archive_of_session.clear()
    return archive_of_session


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The service with the tiny model: a web server and a worker in processes of their own."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "redis").mkdir()
    settings = {"DEFAULT_MODEL": "tiny", "LEASE_SECONDS": 2, "RECOVERY_SECONDS": 0.5, "SHUTDOWN_SECONDS": 2}
    with running_redis(folder / "redis") as redis, Deployment(folder, redis, settings=settings) as made:
        made.start(write_tiny_bundle(folder / "tiny"))
        yield made


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes bridges, which end with the test."""
    made: list[Site] = []

    def make(service: str, archive: OrthancServer | None = None, **options: object) -> Site:
        site = Site(tmp_path / f"site-{len(made)}", service, archive, **options)  # type: ignore[arg-type]
        made.append(site)
        return site

    yield make
    for site in made:
        site.kill()
