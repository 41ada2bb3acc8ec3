"""The queue as the web side sees it: send an id, ask how many wait."""

import redis
from celery import Celery
from kombu.exceptions import KombuError, OperationalError
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.queue.celery_app import QUEUE_NAME, TASK_NAME, UNACKED_NAME, make_celery
from eigenwarp.settings import Settings

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 1.0


class JobQueue:
    """Celery's queue on Redis. Disposable: what is lost with it is found in the database and sent again.

    Every call raises ``StoreUnavailableError`` within two seconds where Redis does not answer. Shared by threads,
    not across a fork.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            self._redis = redis.Redis.from_url(
                settings.redis_url.get_secret_value(),
                socket_connect_timeout=_CONNECT_SECONDS,
                socket_timeout=_ANSWER_SECONDS,
                socket_keepalive=True,
                # A connection from before a restart is found broken only when used; silence is not waited for twice.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
        except ValueError as error:
            raise OptionInvalidError(f"redis_url: {error}") from None
        self._celery = _sender(settings)

    def send(self, job_id: str) -> None:
        """Put a message for a job at the queue's end. A second one for the same job does no harm."""
        try:
            self._celery.send_task(
                TASK_NAME, args=(job_id,), task_id=job_id, queue=QUEUE_NAME, retry=False, ignore_result=True
            )
        except (KombuError, OperationalError, RedisError, OSError) as error:
            raise StoreUnavailableError(f"the queue does not answer: {type(error).__name__}") from error

    def depth(self) -> int:
        """Messages that wait and messages that a worker holds."""
        waiting, held = self._lengths()
        return waiting + held

    def waiting(self) -> int:
        """Messages that no worker has taken yet."""
        return self._lengths()[0]

    def consumers(self) -> int:
        """Connections that wait for messages, one per worker; a worker that runs a job counts, too."""
        try:
            clients = self._redis.client_list()
        except RedisError as error:
            raise StoreUnavailableError(f"the queue does not answer: {type(error).__name__}") from error
        return sum(client.get("cmd") == "brpop" for client in clients)

    def check(self) -> None:
        """Redis answers and takes writes (it does not while it loads its file, or is full)."""
        self._lengths()

    def close(self) -> None:
        """Connections are given back."""
        self._redis.close()
        self._celery.close()

    def _lengths(self) -> tuple[int, int]:
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.llen(QUEUE_NAME)
                pipeline.hlen(UNACKED_NAME)
                waiting, held = pipeline.execute()
        except RedisError as error:
            raise StoreUnavailableError(f"the queue does not answer: {type(error).__name__}") from error
        return int(waiting), int(held)


def _sender(settings: Settings) -> Celery:
    """Celery as the worker has it, but what the worker tries for ever is tried twice at once here."""
    app = make_celery(settings)
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": _ANSWER_SECONDS,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
    app.conf.broker_connection_timeout = _CONNECT_SECONDS
    app.conf.broker_pool_acquire_timeout = _CONNECT_SECONDS
    return app
