"""The web application over a real Redis, with SQLite and a folder; some tests bring PostgreSQL and S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eigenwarp.settings import Settings, load_settings
from tests.servers.redis import RedisServer, running_redis
from tests.servers.redis import redis_server as redis_server
from tests.service.web_server import WebServer, running_web


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that no test may harm."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, shared_redis: RedisServer) -> Settings:
    """Of a data folder of one's own, without a rate limit."""
    return load_settings({}, home=tmp_path / "home", redis_url=shared_redis.url, requests_per_minute=0)


@pytest.fixture
def web(settings: Settings) -> Iterator[WebServer]:
    """A server with those settings."""
    with running_web(settings) as server:
        yield server
