"""Settings of Celery that depend on one another, and on ours."""

from pathlib import Path

import pytest
from celery.app.defaults import DEFAULTS

from eigenwarp.queue import QUEUE_NAME, make_celery
from eigenwarp.settings import load_settings


@pytest.mark.parametrize("job_seconds", [1.0, 600.0, 7200.0])
def test_a_message_never_comes_again_while_its_job_may_still_run(tmp_path: Path, job_seconds: float) -> None:
    conf = make_celery(load_settings({}, home=tmp_path, job_seconds=job_seconds)).conf
    # Celery reads it in three places, and the broker's is not the one that all of it looks at.
    visibility = conf.broker_transport_options["visibility_timeout"]
    assert conf.result_backend_transport_options["visibility_timeout"] == conf.visibility_timeout == visibility
    assert conf.task_soft_time_limit == job_seconds < conf.task_time_limit < visibility / 2


def test_a_waiting_connection_is_not_taken_for_a_dead_one(tmp_path: Path) -> None:
    transport = make_celery(load_settings({}, home=tmp_path)).conf.broker_transport_options
    # A worker waits for messages for up to a second at a time.
    assert transport["socket_timeout"] > 1.0
    assert transport["health_check_interval"] > 0
    assert transport["socket_keepalive"]


def test_messages_are_json_and_go_to_one_queue(tmp_path: Path) -> None:
    conf = make_celery(load_settings({}, home=tmp_path)).conf
    assert conf.accept_content == ["json"]
    assert [queue.name for queue in conf.task_queues] == [QUEUE_NAME] == [conf.task_default_queue]


def test_every_setting_is_one_that_celery_knows(tmp_path: Path) -> None:
    app = make_celery(load_settings({}, home=tmp_path))
    ours = set(app.conf.changes) - {"deprecated_settings"}
    assert "worker_prefetch_multiplier" in ours
    # Documented, but without a default.
    assert ours - set(DEFAULTS) == {"visibility_timeout"}


def test_two_applications_share_nothing(tmp_path: Path) -> None:
    one = make_celery(load_settings({}, home=tmp_path, redis_url="redis://127.0.0.1:1/0"))
    other = make_celery(load_settings({}, home=tmp_path, redis_url="redis://127.0.0.1:2/0"))
    assert (one.conf.broker_url, other.conf.broker_url) == ("redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0")
