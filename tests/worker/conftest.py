from collections.abc import Iterator
from pathlib import Path

import pytest

from eigenwarp.model.registration import RegistrationModel
from eigenwarp.settings import Settings, load_settings
from tests.servers.redis import RedisServer, running_redis
from tests.tiny_bundle import tiny_bundle as tiny_bundle
from tests.worker.deployment import Deployment, make_deployment


@pytest.fixture(scope="session")
def model(tiny_bundle: Path) -> RegistrationModel:
    return RegistrationModel.load(str(tiny_bundle), device="cpu")


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for all tests that do not break it."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, shared_redis: RedisServer) -> Settings:
    """A data folder of its own. Leases end soon; a job that waits for a store does not wait long."""
    return load_settings(
        {}, home=tmp_path / "home", redis_url=shared_redis.url, device="cpu", lease_seconds=2, default_model="tiny"
    )


@pytest.fixture
def deployment(settings: Settings, tiny_bundle: Path) -> Iterator[Deployment]:
    made = make_deployment(settings, tiny_bundle)
    yield made
    made.place.close()
