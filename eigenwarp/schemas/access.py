"""What credentials allow."""

from typing import Literal

Scope = Literal["read", "submit", "admin"]
"""``read``: look and download. ``submit``: upload, start and cancel jobs. ``admin``: erase. None includes another."""

ALL_SCOPES: tuple[Scope, ...] = ("read", "submit", "admin")
