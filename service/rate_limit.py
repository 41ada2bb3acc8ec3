"""How many calls a caller may make, counted in Redis for all web processes, or in this one while Redis is away."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from eigenwarp.errors import RateLimitedError
from eigenwarp.log import get_logger

T = TypeVar("T")
_log = get_logger(__name__)

# A Redis that is away is not asked again for so long: each question could cost a request the whole time-out.
_PAUSE_SECONDS = 5.0
_TIMEOUT_SECONDS = 0.5


class RateLimiter:
    """Moving windows of one minute. Thread-safe.

    Args:
        redis_url: where the counts are kept, each for a minute.
        requests_per_minute: of one caller; 0 for no limit.
        failures_per_minute: failed authentications from one address.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        redis_url: str,
        requests_per_minute: int,
        failures_per_minute: int = 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = RateLimitItemPerMinute(requests_per_minute) if requests_per_minute else None
        self._failures = RateLimitItemPerMinute(failures_per_minute)
        self._shared_storage = RedisStorage(
            redis_url.replace("unix://", "redis+unix://", 1) if redis_url.startswith("unix://") else redis_url,
            key_prefix="eigenwarp:limits",
            wrap_exceptions=True,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
        )
        self._shared = MovingWindowRateLimiter(self._shared_storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock
        self._away_until = float("-inf")

    def count_request(self, caller: str) -> None:
        """One more call of this caller.

        Raises:
            RateLimitedError: more than are allowed; tells when to come back.
        """
        item = self._requests
        if item is not None and not self._ask(lambda limiter: limiter.hit(item, "caller", caller)):
            raise self._refusal(item, "caller", caller, "requests by this caller")

    def count_failure(self, address: str) -> None:
        """One more failed authentication from this address."""
        self._ask(lambda limiter: limiter.hit(self._failures, "address", address))

    def check_failures(self, address: str) -> None:
        """Before credentials are looked at that would cost us something.

        Raises:
            RateLimitedError: too many from this address have failed.
        """
        if not self._ask(lambda limiter: limiter.test(self._failures, "address", address)):
            raise self._refusal(self._failures, "address", address, "failed authentications from this address")

    def close(self) -> None:
        """Connections are given back."""
        self._shared_storage.storage.close()

    def _refusal(self, item: RateLimitItem, kind: str, name: str, what: str) -> RateLimitedError:
        reset = self._ask(lambda limiter: limiter.get_window_stats(item, kind, name).reset_time)
        # The window's clock is the wall clock, as the one in Redis is.
        wait = max(1, math.ceil(reset - time.time()))
        return RateLimitedError(f"more than {item.amount} {what} within a minute", retry_after=wait)

    def _ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        if self._clock() >= self._away_until:
            try:
                return question(self._shared)
            except StorageError:
                self._away_until = self._clock() + _PAUSE_SECONDS
                _log.warning("rate-limit-in-process", reason="Redis does not answer")
        return question(self._own)
