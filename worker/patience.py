"""While a store is away a worker waits, and its job loses nothing."""

import time
from collections.abc import Callable
from typing import TypeVar

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.log import get_logger

_log = get_logger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_SLEEP = 0.1, 2.0, 0.1

T = TypeVar("T")


class Patience:
    """Makes a call again and again while a store is away.

    Args:
        until: when to give up, on the monotonic clock.
        check: asked while waiting; what it raises ends that.
    """

    def __init__(self, until: float, check: Callable[[], None]) -> None:
        self._until = until
        self._check = check

    def __call__(self, call: Callable[[], T]) -> T:
        """What the call gives.

        Args:
            call: may be repeated without harm.

        Raises:
            StoreUnavailableError: the store was away for too long.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                return call()
            except StoreUnavailableError as error:
                if time.monotonic() + pause > self._until:
                    raise
                if pause == _FIRST_PAUSE:
                    _log.warning("waiting for a store", reason=error.detail)
            self._rest(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, _LONGEST_SLEEP))
