"""``Range`` and ``If-Range`` of RFC 9110: which part of a content is asked for."""

import re
from collections.abc import Mapping

from service.refusals import RangeInvalidError

# Longer numbers would be no positions, and cost time to read.
_SPEC = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


def requested_range(headers: Mapping[str, str], length: int, etag: str) -> tuple[int, int] | None:
    """The one range that is asked for.

    Args:
        headers: of the request.
        length: of the content, bytes.
        etag: of the content, strong, in its quotes.

    Returns:
        First position and count of bytes. None for the whole content: nothing was asked for, or for a content that is
        another by now, or in a way that a server may ignore (several ranges, another unit, no sense).

    Raises:
        RangeInvalidError: the range lies outside.
    """
    unit, equals, specs = headers.get("range", "").partition("=")
    match = _SPEC.fullmatch(specs)
    if unit.strip().lower() != "bytes" or not equals or match is None:
        return None
    if headers.get("if-range", etag) != etag:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(length - int(last), 0), length
        if int(last) == 0:
            raise RangeInvalidError(length)
    else:
        start, end = int(first), length if not last else min(int(last) + 1, length)
        if last and int(last) < int(first):
            return None
    if start >= length:
        raise RangeInvalidError(length)
    return start, end - start
