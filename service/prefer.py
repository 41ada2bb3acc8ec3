"""``Prefer: wait=N`` of RFC 7240: how long a caller would like an answer to be waited for."""

import re
from collections.abc import Iterable

LONGEST_WAIT_SECONDS = 60
_WAIT = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(;.*)?', re.IGNORECASE | re.ASCII)


def wanted_wait(preferences: Iterable[str]) -> int | None:
    """Seconds, 60 at most; None without such a preference, or without one that makes sense.

    Args:
        preferences: the values of all ``Prefer`` headers.
    """
    for preference in ",".join(preferences).split(","):
        match = _WAIT.fullmatch(preference)
        if match is not None:
            return min(int(match.group(1)), LONGEST_WAIT_SECONDS)
    return None
