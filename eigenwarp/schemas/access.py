"""What a caller may do."""

from typing import Literal

Scope = Literal["read", "submit", "admin"]
"""``read`` looks, ``submit`` uploads and starts jobs, ``admin`` erases."""

ALL_SCOPES: frozenset[Scope] = frozenset({"read", "submit", "admin"})
