"""Sending ids through a real Redis that is killed, frozen and started empty."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.queue import TASK_NAME, JobQueue
from eigenwarp.settings import load_settings
from tests.queue.messages import arguments, messages, waiting_ids
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer


def test_a_message_carries_the_id_and_nothing_else(queue: JobQueue, redis_server: RedisServer) -> None:
    queue.send("job_a")
    (message,) = messages(redis_server)
    assert arguments(message) == ["job_a"]
    assert message["headers"]["task"] == TASK_NAME
    assert message["headers"]["ignore_result"] is True
    assert message["content-type"] == "application/json"


def test_jobs_wait_in_the_order_in_which_they_were_sent(queue: JobQueue, redis_server: RedisServer) -> None:
    for number in range(5):
        queue.send(f"job_{number}")
    assert waiting_ids(redis_server) == [f"job_{number}" for number in range(5)]
    assert queue.depth() == queue.waiting() == 5


def test_threads_share_a_queue(queue: JobQueue, redis_server: RedisServer) -> None:
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(queue.send, (f"job_{number}" for number in range(200))))
    assert sorted(waiting_ids(redis_server)) == sorted(f"job_{number}" for number in range(200))


def test_a_queue_without_redis_says_so_and_takes_messages_once_it_is_back(
    queue: JobQueue, redis_server: RedisServer
) -> None:
    queue.send("job_a")
    redis_server.kill()
    for call in (lambda: queue.send("job_b"), queue.depth, queue.waiting, queue.check):
        with pytest.raises(StoreUnavailableError, match="queue"):
            call()
    redis_server.start()
    queue.check()
    queue.send("job_c")
    assert waiting_ids(redis_server) == ["job_c"]


def test_the_first_message_after_a_restart_arrives(queue: JobQueue, redis_server: RedisServer) -> None:
    queue.send("job_a")
    assert queue.depth() == 1
    redis_server.restart()
    queue.send("job_b")
    assert waiting_ids(redis_server) == ["job_b"]
    redis_server.restart()
    assert queue.depth() == 0


def test_a_redis_that_is_silent_is_given_up(queue: JobQueue, redis_server: RedisServer) -> None:
    queue.send("job_a")
    redis_server.process.send(signal.SIGSTOP)
    try:
        for call in (lambda: queue.send("job_b"), queue.depth):
            with pytest.raises(StoreUnavailableError, match="queue"):
                call()
    finally:
        redis_server.process.send(signal.SIGCONT)
    queue.send("job_c")


def test_a_redis_that_never_was_there_is_said(tmp_path: Path) -> None:
    queue = JobQueue(load_settings({}, home=tmp_path, redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    with pytest.raises(StoreUnavailableError, match="queue"):
        queue.send("job_a")
    with pytest.raises(StoreUnavailableError, match="queue"):
        queue.check()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "unix:///tmp/x", "127.0.0.1:6379", "redis://127.0.0.1:port/0"])
def test_a_url_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(OptionInvalidError, match=r"(?i)redis_url"):
        JobQueue(load_settings({}, home=tmp_path, redis_url=url))


def test_a_redis_that_is_full_is_said(queue: JobQueue, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailableError, match="queue"):
            queue.send("job_a")
        client.config_set("maxmemory", "0")
    queue.send("job_a")
