"""How long a call is tried again, and when."""

import random
import time

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0


class Patience:
    """Pauses between the tries of one call: growing, until the time is up.

    Args:
        seconds: from the first failure on; 0 to try once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline: float | None = None
        self._pause = _FIRST_PAUSE_S

    def renew(self) -> None:
        """Something arrived: the next failure counts as the first."""
        self._deadline, self._pause = None, _FIRST_PAUSE_S

    def pause(self, wanted: float | None = None) -> bool:
        """Sleep before another try.

        Args:
            wanted: the least seconds that the service asked for (``Retry-After``); 0 is no leave to come back at once
                again and again.

        Returns:
            False, at once, where no time is left after the pause.
        """
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._seconds
        # Many callers that met the same failure must not come back at the same moment.
        length = max(wanted or 0.0, self._pause * random.uniform(0.5, 1.5))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)
        if now + length >= self._deadline:
            return False
        time.sleep(length)
        return True
