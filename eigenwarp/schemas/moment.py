"""Points in time as callers give them."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Strict

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _spelled_out(value: object) -> object:
    """Numbers, and text that is one, would be taken for seconds since 1970; a day alone for its midnight."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and not _RFC3339.fullmatch(value)):
        raise ValueError("a time with its offset is wanted (RFC 3339), such as 2026-01-31T09:30:00Z")
    return value


# Not strict: what has passed the validator is text, which is how a time comes in JSON as well.
Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_spelled_out)]
"""RFC 3339, with an offset."""
