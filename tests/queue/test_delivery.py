"""A real worker process with our settings: what becomes of messages when it, or Redis, is killed or stopped."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eigenwarp.queue import JobQueue
from eigenwarp.settings import Settings
from tests.queue.messages import waiting_ids
from tests.servers.processes import Running, wait_until
from tests.servers.redis import RedisServer

ROOT = Path(__file__).parents[2]


class Worker:
    """The process, and what its jobs noted.

    Args:
        folder: for notes, for the files that waiting jobs wait for, and for the log.
        environment: of the process.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        command = [sys.executable, "-m", "tests.queue.noting_worker", folder]
        self.process = Running(command, folder / "worker.log", environment, ROOT)

    def notes(self, job_id: str) -> list[str]:
        """What became of a job: begun, ended, tired."""
        return [what for job, what, _ in self._lines() if job == job_id]

    def pids(self) -> set[str]:
        """Of the processes that jobs ran in."""
        return {pid for _, _, pid in self._lines()}

    def let_end(self, job_id: str) -> None:
        """What a waiting job waits for."""
        (self._folder / job_id).touch()

    def wait_for(self, job_id: str, what: str) -> None:
        self.process.wait_until(lambda: what in self.notes(job_id), f"{job_id} has {what}")

    def _lines(self) -> list[list[str]]:
        file = self._folder / "notes"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def start_worker(tmp_path: Path, settings: Settings) -> Iterator[Callable[..., Worker]]:
    """Starts a worker; arguments are settings."""
    started: list[Worker] = []

    def start(**values: object) -> Worker:
        environment = {
            "EIGENWARP_REDIS_URL": settings.redis_url.get_secret_value(),
            "EIGENWARP_HOME": str(tmp_path),
            **{f"EIGENWARP_{name.upper()}": str(value) for name, value in values.items()},
        }
        started.append(Worker(tmp_path, environment))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()


def test_a_message_is_held_until_its_job_has_ended(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    worker = start_worker()
    for job in ("wait-1", "end-2", "end-3"):
        queue.send(job)
    worker.wait_for("wait-1", "begun")
    assert waiting_ids(redis_server) == ["end-2", "end-3"]
    assert queue.depth() == 3
    worker.let_end("wait-1")
    worker.wait_for("end-3", "ended")
    wait_until(lambda: queue.depth() == 0, "all messages are acknowledged")
    assert len(worker.pids()) == 1


def test_a_job_whose_process_was_killed_is_delivered_again(
    start_worker: Callable[..., Worker], queue: JobQueue
) -> None:
    worker = start_worker()
    queue.send("die-1")
    queue.send("end-2")
    worker.wait_for("die-1", "ended")
    worker.wait_for("end-2", "ended")
    assert worker.notes("die-1") == ["begun", "begun", "ended"]
    wait_until(lambda: queue.depth() == 0, "all messages are acknowledged")


def test_a_job_goes_on_while_redis_is_lost_and_the_worker_takes_messages_again(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    worker = start_worker()
    queue.send("wait-1")
    worker.wait_for("wait-1", "begun")
    for number in (2, 3):
        redis_server.restart()
        queue.send(f"end-{number}")
    worker.let_end("wait-1")
    for job in ("wait-1", "end-3"):
        worker.wait_for(job, "ended")
    assert worker.notes("wait-1") == ["begun", "ended"]
    redis_server.restart()
    queue.send("end-4")
    worker.wait_for("end-4", "ended")
    wait_until(lambda: queue.depth() == 0, "all messages are acknowledged")


def test_a_worker_whose_acknowledgement_was_lost_takes_messages_again(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    worker = start_worker()
    queue.send("wait-1")
    worker.wait_for("wait-1", "begun")
    redis_server.process.send(signal.SIGSTOP)
    try:
        worker.let_end("wait-1")
        worker.process.wait_until(lambda: "Couldn't ack" in worker.process.output(), "the acknowledgement fails")
    finally:
        redis_server.process.send(signal.SIGCONT)
    queue.send("end-2")
    worker.wait_for("end-2", "ended")
    wait_until(lambda: queue.depth() == 0, "no message is left")
    assert worker.notes("end-2") == ["begun", "ended"]


def test_an_idle_worker_outlives_a_long_absence_of_redis(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    redis_server.kill()
    worker = start_worker()
    worker.process.wait_until(lambda: "Cannot connect" in worker.process.output(), "the worker misses Redis")
    redis_server.start()
    queue.send("end-1")
    worker.wait_for("end-1", "ended")


def test_a_worker_told_to_stop_lets_its_job_end(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    worker = start_worker(shutdown_seconds=600)
    queue.send("wait-1")
    worker.wait_for("wait-1", "begun")
    queue.send("end-2")
    worker.process.send(signal.SIGTERM)
    worker.process.wait_until(lambda: "Warm shutdown" in worker.process.output(), "the worker is told")
    worker.let_end("wait-1")
    # Long before the bound: it goes as soon as its job has ended.
    worker.process.wait(60)
    assert worker.notes("wait-1") == ["begun", "ended"]
    assert worker.notes("end-2") == []
    assert waiting_ids(redis_server) == ["end-2"]
    assert queue.depth() == 1


def test_a_worker_told_to_stop_gives_a_job_back_that_takes_too_long(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    worker = start_worker(shutdown_seconds=0.2)
    queue.send("wait-1")
    worker.wait_for("wait-1", "begun")
    worker.process.send(signal.SIGTERM)
    worker.process.wait()
    assert worker.notes("wait-1") == ["begun"]
    assert waiting_ids(redis_server) == ["wait-1"]
    again = start_worker()
    again.let_end("wait-1")
    again.wait_for("wait-1", "ended")


def test_a_job_is_told_when_its_time_is_over(start_worker: Callable[..., Worker], queue: JobQueue) -> None:
    worker = start_worker(job_seconds=1)
    queue.send("tire-1")
    queue.send("end-2")
    worker.wait_for("tire-1", "tired")
    worker.wait_for("end-2", "ended")


def test_workers_log_in_json_and_leave_nothing_but_messages_in_redis(
    start_worker: Callable[..., Worker], queue: JobQueue, redis_server: RedisServer
) -> None:
    worker = start_worker()
    queue.send("end-1")
    worker.wait_for("end-1", "ended")
    wait_until(lambda: queue.depth() == 0, "the message is acknowledged")
    with redis_server.client() as client:
        assert all("eigenwarp" in key for key in client.keys("*"))
        assert client.pubsub_channels() == []
    lines = [json.loads(line) for line in worker.process.output().splitlines() if line]
    assert {"at", "level", "logger", "event"} <= set.intersection(*(set(line) for line in lines))
    assert any(line["logger"].startswith("celery") for line in lines)
