"""How fast one peer may send: the one that is too fast is kept waiting, none is refused for it."""

import threading
import time

_WINDOW_SECONDS = 60.0
_BURST_SECONDS = 5.0


class Pace:
    """A leaking bucket for each peer, thread-safe.

    Args:
        per_minute: instances; 0 for no limit. What five seconds may bring may come at once.
    """

    def __init__(self, per_minute: int) -> None:
        self._interval = _WINDOW_SECONDS / per_minute if per_minute else 0.0
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, peer: str) -> None:
        """Returns when the peer's next instance may be taken."""
        if not self._interval:
            return
        with self._lock:
            now = time.monotonic()
            due = max(self._next.get(peer, 0.0), now - _BURST_SECONDS)
            self._next[peer] = due + self._interval
        if due > now:
            time.sleep(due - now)
