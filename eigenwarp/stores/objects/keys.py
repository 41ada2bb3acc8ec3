"""Which keys there are. Both stores ask here, so that neither a folder nor a bucket is ever left."""

import re

from eigenwarp.errors import OptionInvalidError

MOST_CHARACTERS = 512
_PART = re.compile(r"[A-Za-z0-9._@=:+-]{1,200}", re.ASCII)


def check_key(key: str) -> None:
    """A key names one object.

    Raises:
        OptionInvalidError: it is absolute, leaves its folder, or holds other characters than ``[A-Za-z0-9._@=:+-]``.
    """
    if len(key) > MOST_CHARACTERS or not all(_sound(part) for part in key.split("/")):
        raise OptionInvalidError(f"not an object key: {key[:80]!r}; parts of [A-Za-z0-9._@=:+-] with / between them")


def check_prefix(prefix: str) -> None:
    """What keys can begin with: whole parts, the last of which may be cut short or empty. ``""`` is before all.

    Raises:
        OptionInvalidError: no key begins so.
    """
    *folders, last = prefix.split("/")
    if len(prefix) > MOST_CHARACTERS or not all(_sound(part) for part in folders):
        raise OptionInvalidError(f"no object key begins with {prefix[:80]!r}")
    if last and not _PART.fullmatch(last):
        raise OptionInvalidError(f"no object key begins with {prefix[:80]!r}")


def check_folder(prefix: str) -> None:
    """A prefix of whole parts, so that ``jobs/a/`` can never take ``jobs/ab`` with it.

    Raises:
        OptionInvalidError: it is empty, does not end in ``/``, or no key begins so.
    """
    if not prefix.endswith("/"):
        raise OptionInvalidError(f"{prefix[:80]!r} does not end in /")
    check_prefix(prefix)


def check_range(start: int, length: int | None) -> None:
    """A part of an object, bytes.

    Raises:
        OptionInvalidError: it begins before the object, or is of negative length.
    """
    if start < 0 or (length is not None and length < 0):
        raise OptionInvalidError(f"no range of bytes: start {start}, length {length}")


def _sound(part: str) -> bool:
    return part not in (".", "..") and _PART.fullmatch(part) is not None
