"""A job's live events in a Redis stream: written by the worker, followed by the web side, lost without harm."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.log import get_logger
from eigenwarp.schemas.jobs import FINAL_STATES, JobEvent

_PREFIX = "eigenwarp:events:"
_MOST_EVENTS = 1000
_KEPT_SECONDS = 24 * 3600
_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
_REST_SECONDS = 5.0
_LONGEST_READ_SECONDS = 5.0

_log = get_logger(__name__)


class EventStream:
    """The events of all jobs, one stream each, of some thousand events and a day at most.

    The job row says what became of a job; a stream only says it sooner. So publishing never fails, and who follows
    asks the row as well. Shared by threads, not across a fork.

    Args:
        redis_url: redis://… or rediss://….
    """

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        try:
            # A connection from before a restart is found broken only when used; silence is not waited for twice.
            self._redis = redis.Redis.from_url(
                redis_url,
                socket_connect_timeout=_CONNECT_SECONDS,
                socket_timeout=_ANSWER_SECONDS,
                socket_keepalive=True,
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
        except ValueError as error:
            raise OptionInvalidError(f"redis_url: {error}") from None
        self._rests_until: float | None = None

    def publish(self, event: JobEvent) -> None:
        """Append an event. While Redis is away nothing happens, and every few seconds one call finds that out."""
        if self._rests_until is not None and time.monotonic() < self._rests_until:
            return
        name = _PREFIX + event.job
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.xadd(name, {"event": event.model_dump_json()}, maxlen=_MOST_EVENTS, approximate=True)
                pipeline.expire(name, _KEPT_SECONDS)
                pipeline.execute()
        except RedisError as error:
            if self._rests_until is None:
                _log.warning("events are not published", reason=type(error).__name__)
            self._rests_until = time.monotonic() + _REST_SECONDS
        else:
            if self._rests_until is not None:
                _log.info("events are published again")
            self._rests_until = None

    async def follow(self, job_id: str, last_id: str = "") -> AsyncIterator[tuple[str, JobEvent]]:
        """Past events after ``last_id`` and then those to come, until the job has ended.

        Where the job has ended and its stream has been dropped, this waits for ever: look at the row first.

        Args:
            job_id: of a job.
            last_id: of the last event that the caller has seen; ``""`` for all.

        Yields:
            An event and its id.

        Raises:
            OptionInvalidError: ``last_id`` is none.
            StoreUnavailableError: Redis is away, or went away meanwhile, whereby events may have been lost.
        """
        async for found in self.watch(job_id, last_id, idle_seconds=None):
            if found is not None:
                yield found

    async def watch(
        self, job_id: str, last_id: str = "", *, idle_seconds: float | None
    ) -> AsyncGenerator[tuple[str, JobEvent] | None, None]:
        """``follow``, with None each time that nothing has come for ``idle_seconds``: time to look at the row."""
        position = _checked_id(last_id)
        name = _PREFIX + job_id
        wait = _LONGEST_READ_SECONDS if idle_seconds is None else max(0.001, min(idle_seconds, _LONGEST_READ_SECONDS))
        # A connection of its own that is never made again in silence: what broke may have taken events along.
        connection = redis.asyncio.Redis.from_url(
            self._url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=wait + _ANSWER_SECONDS,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
            decode_responses=True,
        )
        quiet_since = time.monotonic()
        try:
            while True:
                answer = await connection.xread({name: position}, count=100, block=int(wait * 1000))
                for position, event in _events(answer):
                    yield position, event
                    quiet_since = time.monotonic()
                    if event.state in FINAL_STATES:
                        return
                if idle_seconds is not None and time.monotonic() - quiet_since >= idle_seconds:
                    yield None
                    quiet_since = time.monotonic()
        except RedisError as error:
            raise StoreUnavailableError(f"the event stream was lost: {type(error).__name__}") from error
        finally:
            with suppress(RedisError):
                await connection.aclose()

    def delete(self, job_id: str) -> None:
        """Forget a job's events.

        Raises:
            StoreUnavailableError: Redis is away.
        """
        try:
            self._redis.delete(_PREFIX + job_id)
        except RedisError as error:
            raise StoreUnavailableError(f"Redis does not answer: {type(error).__name__}") from error

    def check(self) -> None:
        """Redis answers.

        Raises:
            StoreUnavailableError: it does not.
        """
        try:
            self._redis.ping()
        except RedisError as error:
            raise StoreUnavailableError(f"Redis does not answer: {type(error).__name__}") from error

    def close(self) -> None:
        """Connections are given back."""
        self._redis.close()


def _checked_id(last_id: str) -> str:
    if last_id and not re.fullmatch(r"[0-9]{1,20}(-[0-9]{1,20})?", last_id, re.ASCII):
        raise OptionInvalidError(f"not the id of an event: {last_id[:40]!r}")
    return last_id or "0"


def _events(answer: Any) -> list[tuple[str, JobEvent]]:
    """Of XREAD's answer, which is a list of streams (RESP2) or a mapping (RESP3)."""
    streams = answer.values() if isinstance(answer, dict) else [rows for _, rows in answer or []]
    return [(id, JobEvent.model_validate_json(fields["event"])) for rows in streams for id, fields in rows]
