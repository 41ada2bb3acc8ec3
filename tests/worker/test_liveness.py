"""A worker that does not consume is told from one that has nothing to consume."""

import os
import time
from pathlib import Path

import pytest

from eigenwarp.errors import StoreUnavailableError
from tests.servers.processes import wait_until
from worker.liveness import STALE_SECONDS, Liveness, is_alive, liveness_file


class Surroundings:
    """Of a worker: its queue, what it does, and the time."""

    def __init__(self) -> None:
        self.messages: int | None = 0
        self.working = False
        self.now = 1000.0

    def waiting(self) -> int:
        if self.messages is None:
            raise StoreUnavailableError("Redis is away")
        return self.messages

    def liveness(self, file: Path) -> Liveness:
        return Liveness(file, self.waiting, lambda: self.working, lambda: self.now)

    def pass_time(self, liveness: Liveness, seconds: int, *, turning: bool = True) -> bool:
        """Second by second; whether the worker was taken for consuming in the end."""
        consumes = True
        for _ in range(seconds):
            self.now += 1
            if turning:
                liveness.turned()
            consumes = liveness.consumes()
        return consumes


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


@pytest.fixture
def liveness(around: Surroundings, tmp_path: Path) -> Liveness:
    return around.liveness(tmp_path / "alive")


def test_an_idle_worker_with_an_empty_queue_lives(around: Surroundings, liveness: Liveness) -> None:
    assert around.pass_time(liveness, 600)


def test_a_busy_worker_lives_while_messages_wait(around: Surroundings, liveness: Liveness) -> None:
    around.messages, around.working = 7, True
    assert around.pass_time(liveness, 600)


def test_a_worker_that_leaves_messages_lying_does_not(around: Surroundings, liveness: Liveness) -> None:
    """After a lost connection the loop may turn and nothing come."""
    around.messages = 1
    assert around.pass_time(liveness, 30)
    assert not around.pass_time(liveness, 60)
    around.messages = 0
    assert around.pass_time(liveness, 1)


def test_a_worker_whose_loop_stands_still_does_not(around: Surroundings, liveness: Liveness) -> None:
    assert not around.pass_time(liveness, 60, turning=False)


def test_a_worker_that_waits_for_redis_lives(around: Surroundings, liveness: Liveness) -> None:
    around.messages = None
    assert around.pass_time(liveness, 600, turning=False)
    around.messages = 1
    assert around.pass_time(liveness, 20)


def test_the_file_is_touched_while_the_worker_lives_and_goes_with_it(around: Surroundings, tmp_path: Path) -> None:
    file = liveness_file(tmp_path, "worker@here")
    assert not is_alive(file)
    liveness = around.liveness(file)
    liveness.start()
    wait_until(lambda: is_alive(file), "the heart beats")
    liveness.stop()
    assert not file.exists()


def test_an_old_file_is_no_sign_of_life(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    file.touch()
    assert is_alive(file)
    old = time.time() - STALE_SECONDS - 1
    os.utime(file, (old, old))
    assert not is_alive(file)
