"""Cursors: where a page of a list ended, in a form that callers pass back unread."""

import base64
import binascii
import json
from datetime import datetime

from eigenwarp.errors import OptionInvalidError
from eigenwarp.stores.database.clock import in_utc


def make_cursor(at: datetime, row_id: str) -> str:
    """Of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), row_id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Time and id of the row that the next page follows.

    Raises:
        OptionInvalidError: not one of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        at_text, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        at = in_utc(datetime.fromisoformat(at_text))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise OptionInvalidError("cursor: not one that this service gave") from None
    if not isinstance(row_id, str) or "\0" in row_id:
        raise OptionInvalidError("cursor: not one that this service gave")
    return at, row_id
