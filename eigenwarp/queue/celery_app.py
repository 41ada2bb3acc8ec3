"""The Celery application: one queue of job ids on Redis, delivered at least once."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Queue

from eigenwarp.log import configure_logging
from eigenwarp.queue.lost_slot import LostSlot
from eigenwarp.queue.shutdown import bound_shutdown
from eigenwarp.settings import Settings

TASK_NAME = "eigenwarp.run_job"
QUEUE_NAME = "eigenwarp.jobs"
UNACKED_NAME = "eigenwarp.unacked"

WORKER_OPTIONS = ("--without-gossip", "--without-mingle", "--without-heartbeat")
"""Of ``celery worker``: workers have nothing to tell one another, and the job's lease says which of them live."""

_GRACE_SECONDS = 30.0
_LEAST_VISIBILITY_SECONDS = 3600


def make_celery(settings: Settings) -> Celery:
    """Celery with everything that at-least-once delivery of long jobs needs; which task it runs is the worker's matter.

    A message is acknowledged after its job, and comes again when its worker is lost. The job row's lease and token make
    the second delivery harmless, so a job in progress is not stopped because Redis went away.
    """
    app = Celery("eigenwarp", broker=settings.redis_url.get_secret_value(), set_as_current=False)
    app.conf.update(_configuration(settings))

    def take_over(**_: object) -> None:
        configure_logging(settings)

    # With a receiver of this signal Celery leaves the loggers alone.
    setup_logging.connect(take_over, weak=False, dispatch_uid="eigenwarp.log")
    app.steps["consumer"].add(LostSlot)
    bound_shutdown(app, settings.shutdown_seconds)
    return app


def visibility_seconds(settings: Settings) -> int:
    """After how long Redis gives an unacknowledged message to another worker: never while its job may still run."""
    return max(_LEAST_VISIBILITY_SECONDS, int(3 * (settings.job_seconds + _GRACE_SECONDS)))


def _configuration(settings: Settings) -> dict[str, Any]:
    visibility = visibility_seconds(settings)
    transport: dict[str, Any] = {
        "visibility_timeout": visibility,
        "unacked_key": UNACKED_NAME,
        "unacked_index_key": "eigenwarp.unacked_index",
        "unacked_mutex_key": "eigenwarp.unacked_mutex",
        # A server that is gone without a word is noticed, on the sending side and on the waiting one.
        "socket_connect_timeout": 2.0,
        "socket_timeout": 5.0,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": False,
        "client_name": "eigenwarp",
    }
    return {
        # What travels.
        "task_default_queue": QUEUE_NAME,
        "task_queues": [Queue(QUEUE_NAME)],
        "task_create_missing_queues": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "result_backend": None,
        "enable_utc": True,
        # Delivery: acknowledged when done, given back when the worker is lost. Failures are in the row: acknowledged.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_enable_prefetch_count_reduction": False,
        # All three are read, by different parts of Celery.
        "broker_transport_options": transport,
        "result_backend_transport_options": {"visibility_timeout": visibility},
        "visibility_timeout": visibility,
        # The child is told at job_seconds and killed soon after, long before the message would be given to another.
        "task_soft_time_limit": settings.job_seconds,
        "task_time_limit": settings.job_seconds + _GRACE_SECONDS,
        # CUDA survives no fork, and the models are loaded once in the child.
        "worker_pool": "prefork",
        "worker_concurrency": 1,
        "worker_max_tasks_per_child": settings.worker_recycle_jobs or None,
        # Of SIGQUIT, and of SIGTERM under REMAP_SIGTERM=SIGQUIT; SIGTERM as it is is bounded by bound_shutdown.
        "worker_soft_shutdown_timeout": settings.shutdown_seconds,
        # Redis may be away for as long as it likes.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": 4.0,
        "broker_channel_error_retry": True,
        "broker_pool_limit": 10,
        "broker_heartbeat": 0,
        # The lease and the fencing token see to it that a second delivery does nothing; stopping a sound job would
        # cost it an attempt.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Nobody listens to either.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }
