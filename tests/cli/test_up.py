"""``eigenwarp up``: the whole service on this machine, as a shell starts and stops it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from eigenwarp.client import Client
from eigenwarp.schemas.jobs import JobRow
from eigenwarp.settings import Settings, load_settings
from eigenwarp.stores.database import open_database
from eigenwarp.stores.objects import open_object_store
from tests.integration.deployment import children
from tests.servers.ports import answers
from tests.servers.processes import Running, wait_until
from tests.service.working import publish
from tests.tiny_bundle import blob

# A silent worker is found out within seconds, and a stop does not wait for a job of some seconds.
BRIEF = {"DEFAULT_MODEL": "tiny", "DEVICE": "cpu", "LEASE_SECONDS": "2", "RECOVERY_SECONDS": "0.5"}


@dataclass(frozen=True)
class Up:
    """One run of it.

    Args:
        process: the supervisor.
        url: of the web server.
        parts: process ids of web server, worker and Redis, by a word of their commands.
    """

    process: Running
    url: str
    parts: dict[str, int]

    def stop(self, number: signal.Signals) -> None:
        """By a signal to the supervisor alone, to its orderly end."""
        self.process.send(number)
        assert self.process.wait() == 0
        assert self.process.output().endswith("stopping\nstopped\n")
        assert not any(alive(pid) for pid in self.parts.values())
        assert not answers(int(self.url.rpartition(":")[2]))


@pytest.fixture
def home(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A data folder in which the tiny model is published."""
    folder = tmp_path / "home"
    objects = open_object_store(settings_of(folder))
    publish(objects, tiny_bundle)
    objects.close()
    return folder


def settings_of(home: Path) -> Settings:
    return load_settings({f"EIGENWARP_{name}": value for name, value in BRIEF.items()}, home=home)


def command(home: Path) -> list[str]:
    return [sys.executable, "-m", "eigenwarp_cli", "up", "--no-publish", "--port", "0", "--home", str(home)]


@contextmanager
def up(home: Path, log: Path, **settings: str) -> Iterator[Up]:
    environment = {f"EIGENWARP_{name}": value for name, value in (BRIEF | settings).items()}
    process = Running(command(home), log, {**environment, "OMP_NUM_THREADS": "1"})
    try:
        process.wait_until(lambda: "ready: " in process.output(), "the service is ready")
        url = process.output().partition("ready: ")[2].splitlines()[0]
        yield Up(process, url, parts_of(process))
    finally:
        # It leads a group, and so does each of its children: they end with it.
        process.stop()


def parts_of(process: Running) -> dict[str, int]:
    found = {}
    for pid in children(process.pid):
        line = Path(f"/proc/{pid}/cmdline").read_text()
        found[next(word for word in ("redis", "serve", "worker") if word in line)] = pid
    return found


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def work(client: Client) -> list[JobRow]:
    """Some seconds of it, then something short; returns in the middle of the first."""
    moving, fixed = (client.upload(blob(seed)[0]) for seed in (1, 2))
    jobs = [client.register(moving, fixed, refine="latent", wait=False), client.project(moving, wait=False)]
    wait_until(lambda: client.job(jobs[0]).state == "running", "the first job is running")
    return jobs


def test_jobs_in_flight_are_kept_over_ctrl_c_and_sigterm(home: Path, tmp_path: Path) -> None:
    with up(home, tmp_path / "first.log", SHUTDOWN_SECONDS="0.3") as first:
        with Client(first.url) as client:
            jobs = work(client)
        first.stop(signal.SIGINT)
    with up(home, tmp_path / "second.log", SHUTDOWN_SECONDS="0.3") as second:
        assert set(second.parts) == {"redis", "serve", "worker"}
        with Client(second.url) as client:
            assert [(client.wait(job).state, client.job(job).attempt) for job in jobs] == [("succeeded", 1)] * 2
            more = work(client)
        second.stop(signal.SIGTERM)
    database = open_database(settings_of(home).database)
    try:
        assert {database.jobs.get(job.id).state for job in more} <= {"queued", "succeeded"}
    finally:
        database.close()


def test_what_is_killed_is_started_again_and_nothing_outlives_the_supervisor(home: Path, tmp_path: Path) -> None:
    with up(home, tmp_path / "up.log") as running:
        other = Running(command(home), tmp_path / "other.log")
        assert other.wait() == 2
        assert f"another 'eigenwarp up' (process {running.process.pid}) uses this data folder" in other.output()
        with Client(running.url) as client:
            jobs = work(client)
            for part in ("worker", "serve"):
                os.kill(running.parts[part], signal.SIGKILL)
            assert [client.wait(job).state for job in jobs] == ["succeeded", "succeeded"]
        assert running.process.output().count("ended (SIGKILL); started again") == 2
        left = parts_of(running.process)
        assert set(left) == {"redis", "serve", "worker"}
        running.process.send(signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in left.values()), "its parts have ended", 20.0)
