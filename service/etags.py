"""Conditional requests: whether the caller has it already."""

from collections.abc import Mapping


def is_held(headers: Mapping[str, str], etag: str) -> bool:
    """Whether ``If-None-Match`` names this content.

    Args:
        headers: of the request.
        etag: strong, in its quotes.
    """
    given = [tag.strip() for tag in headers.get("if-none-match", "").split(",")]
    return "*" in given or etag in given or f"W/{etag}" in given
