"""A real PostgreSQL server, to be killed and started again."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pgserver
import psutil
import psycopg
import pytest
from pgserver import utils as permissions

from tests.servers.ports import free_port
from tests.servers.processes import Running, running

_PROGRAMS = Path(pgserver.__file__).parent / "pginstall" / "bin"
# PostgreSQL refuses to run as root, so root lends it an account without rights, as the wheel's own launcher does.
_ACCOUNT = "pgserver"


class PostgresServer:
    """A server on a free port of the loopback, that trusts everybody.

    Args:
        folder: for its log and its data, which outlive ``kill``.
        settings: of ``postgresql.conf``, such as ``max_connections=20``.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        self._settings = settings
        self._process: Running | None = None

    def start(self) -> None:
        """Returns when it answers."""
        if not self._data.exists():
            self._make_cluster()
        if os.geteuid() == 0:
            # Each time: every other run of pytest on the machine takes the rights to its parent folder away.
            permissions.ensure_prefix_permissions(self._data)
        # Durable as in production is not what the tests look at, except where they say so.
        options = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", *self._settings]
        command = [_PROGRAMS / "postgres", "-D", self._data, "-p", str(self.port)]
        for option in options:
            command += ["-c", option]
        self._process = Running(_without_rights(command), self._folder / "postgres.log")
        self._process.wait_until(self._answers, "PostgreSQL answers")

    @property
    def process(self) -> Running:
        """The one that runs now."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.process.poll() is None

    def kill(self) -> None:
        """As a crash does, with all its connections."""
        if self._process is not None:
            # Each leads a group of its own, and would hold the data's lock until it has noticed.
            children = psutil.Process(self._process.pid).children() if self.is_running else []
            self._process.kill()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(children, timeout=10)
            self._process = None

    def restart(self) -> None:
        """Killed and started on the same port, with its data."""
        self.kill()
        self.start()

    def url(self, name: str) -> str:
        """Of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def new_database(self, template: str = "template1") -> str:
        """The URL of a database of one's own: empty, or a copy of another that nobody is connected to."""
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def _make_cluster(self) -> None:
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            permissions.ensure_user_exists(_ACCOUNT)
            permissions.ensure_prefix_permissions(self._data)
            permissions.ensure_prefix_permissions(_PROGRAMS)
            os.chown(self._data, pwd.getpwnam(_ACCOUNT).pw_uid, pwd.getpwnam(_ACCOUNT).pw_gid)
        command = [_PROGRAMS / "initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=utf8"]
        with running(_without_rights([*command, "--no-sync"]), self._folder / "initdb.log") as made:
            assert made.wait() == 0, made.output()

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


def _without_rights(command: list[str | Path]) -> list[str | Path]:
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups", *command]


@contextmanager
def running_postgres(folder: Path, *settings: str) -> Iterator[PostgresServer]:
    """A server for the time of a block."""
    server = PostgresServer(folder, *settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One for all tests: not to be broken. Who wants to break one takes ``running_postgres``."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database for one test."""
    return postgres_server.new_database()
