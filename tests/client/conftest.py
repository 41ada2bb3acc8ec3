"""A service with the tiny model, and a network to it that can be broken."""

from collections.abc import Iterator

import pytest

from eigenwarp.client import Client
from tests.client.proxy import Proxy, proxied
from tests.integration.deployment import Deployment
from tests.servers.redis import running_redis
from tests.tiny_bundle import write_tiny_bundle


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A web server and a worker, in processes of their own. Not to be broken."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "redis").mkdir()
    with (
        running_redis(folder / "redis") as redis,
        Deployment(folder, redis, settings={"DEFAULT_MODEL": "tiny"}) as made,
    ):
        made.start(write_tiny_bundle(folder / "tiny"))
        yield made


@pytest.fixture
def proxy(service: Deployment) -> Iterator[Proxy]:
    """The network to it."""
    with proxied(int(service.url.rpartition(":")[2])) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[Client]:
    """Through that network; patient."""
    with Client(proxy.url, timeout=20.0) as made:
        yield made
