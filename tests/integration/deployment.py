"""A deployment of real processes: the web server and its workers, over real stores, each to be broken and mended."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

import httpx

from eigenwarp.queue import JobQueue
from eigenwarp.settings import Settings, load_settings
from eigenwarp.stores.database import Database, open_database
from eigenwarp.stores.objects import ObjectStore, open_object_store
from tests.integration.http_calls import HttpCalls
from tests.servers.ports import answers, free_port
from tests.servers.postgres import PostgresServer
from tests.servers.processes import Running, wait_until
from tests.servers.redis import RedisServer
from tests.servers.s3 import S3Server

PROGRAM = Path(sys.executable).parent / "eigenwarp"
_SHOWN_CHARACTERS = 6000


class Deployment:
    """``eigenwarp serve`` and as many ``eigenwarp worker`` as wanted. Use it as a context manager.

    Args:
        folder: for logs and data folders, one for each process where the stores are servers: nothing is shared but
            through them.
        redis: the queue's server.
        postgres: a database server, in which a database of its own is made; SQLite in the data folder without.
        s3: an object store, in which a bucket of its own is made; a folder without.
        workers: how many.
        settings: above the defaults, by their names in the environment without the prefix.
        within: a command that runs the one given to it elsewhere, such as in another mount namespace.
    """

    def __init__(
        self,
        folder: Path,
        redis: RedisServer,
        *,
        postgres: PostgresServer | None = None,
        s3: S3Server | None = None,
        workers: int = 1,
        settings: Mapping[str, object] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self.folder, self.redis, self.postgres, self.s3 = folder, redis, postgres, s3
        self._within = tuple(within)
        self._open = ExitStack()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        own = {
            "REDIS_URL": redis.url,
            "HOST": "127.0.0.1",
            "PORT": port,
            "DEVICE": "cpu",
            "REQUESTS_PER_MINUTE": 0,
            **(settings or {}),
        }
        self.environment = {f"EIGENWARP_{name}": str(value) for name, value in own.items()}
        if postgres is not None:
            self.environment["EIGENWARP_DATABASE_URL"] = postgres.new_database()
        if s3 is not None:
            self.environment |= s3.environment | {"EIGENWARP_S3_BUCKET": f"deployment-{port}"}
        self.web: Running | None = None
        self.workers: list[Running | None] = [None] * workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for process in (*self.workers, self.web):
                if process is not None:
                    process.send(signal.SIGCONT)
                    process.stop()
        finally:
            self._open.close()

    def start(self, *bundles: Path) -> None:
        """Make the schema, publish bundles, start everything; returns when the web server is ready."""
        self.run("migrate")
        for bundle in bundles:
            self.run("models", "publish", str(bundle))
        self.start_web()
        for index in range(len(self.workers)):
            self.start_worker(index)

    def run(self, *arguments: str) -> str:
        """One of the program's commands, to its end."""
        process = self._process("commands", *arguments)
        code = process.wait()
        assert code == 0, f"eigenwarp {' '.join(arguments)} ended with {code}:\n{process.output()[-_SHOWN_CHARACTERS:]}"
        return process.output()

    def start_web(self) -> None:
        """Returns when it is ready."""
        self.web = self._process("web", "serve")
        self.web.wait_until(self.ready, "the web server is ready")

    def start_worker(self, index: int = 0) -> Running:
        """Returns at once: its first job shows that it has come up."""
        process = self._process(f"worker-{index}", "worker", "--name", f"worker-{index}")
        self.workers[index] = process
        return process

    def worker(self, index: int = 0) -> Running:
        """A worker that was started."""
        process = self.workers[index]
        assert process is not None, f"worker {index} is not running"
        return process

    def ready(self) -> bool:
        """Whether ``/readyz`` says so."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5.0).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def mend(self) -> None:
        """Start what a test has killed, and wait until all answers."""
        for server in (self.redis, self.postgres, self.s3):
            if server is not None and not answers(_port(server)):
                server.restart()
        if self.web is None or self.web.process.poll() is not None:
            self.start_web()
        for index, worker in enumerate(self.workers):
            if worker is None or worker.process.poll() is not None:
                self.start_worker(index)
            else:
                for pid in (worker.pid, *children(worker.pid)):
                    os.kill(pid, signal.SIGCONT)
        wait_until(self.ready, "the deployment is ready again")

    @cached_property
    def calls(self) -> HttpCalls:
        """A caller of the service, closed with the deployment."""
        return self._open.enter_context(HttpCalls(self.url))

    @property
    def settings(self) -> Settings:
        """As one of its processes has them."""
        return load_settings({**self.environment, "EIGENWARP_HOME": str(self._home("tests"))})

    @cached_property
    def database(self) -> Database:
        """The database itself, past the service; closed with the deployment."""
        database = open_database(self.settings.database)
        self._open.callback(database.close)
        return database

    @cached_property
    def objects(self) -> ObjectStore:
        """The object store itself, past the service; closed with the deployment."""
        objects = open_object_store(self.settings)
        self._open.callback(objects.close)
        return objects

    @cached_property
    def queue(self) -> JobQueue:
        """The queue itself, past the service; closed with the deployment."""
        queue = JobQueue(self.settings)
        self._open.callback(queue.close)
        return queue

    def log(self, name: str) -> str:
        """What ``web``, ``worker-0`` and their like have written."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(
            f"--- {path.stem}\n{path.read_text(errors='replace')[-_SHOWN_CHARACTERS:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def _home(self, part: str) -> Path:
        # Servers for everything: a web server and a worker on different machines share no folder.
        apart = self.postgres is not None and self.s3 is not None
        home = self.folder / (f"home-{part}" if apart else "home")
        home.mkdir(exist_ok=True)
        return home

    def _process(self, name: str, *arguments: str) -> Running:
        environment = {**self.environment, "EIGENWARP_HOME": str(self._home(name)), "OMP_NUM_THREADS": "1"}
        return Running([*self._within, PROGRAM, *arguments], self.folder / f"{name}.log", environment, self.folder)


def _port(server: RedisServer | PostgresServer | S3Server) -> int:
    return int(server.endpoint.rpartition(":")[2]) if isinstance(server, S3Server) else server.port


def children(pid: int) -> list[int]:
    """Processes that a process has started and that live."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
