"""Loaded by schemathesis: most made-up ids are replaced by some that exist, as nothing lies behind an unknown one.

A valid id is replaced by a valid id and nothing else is touched, so that what was made up to be refused still is.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from typing import Any

import schemathesis

_SETTING = "EIGENWARP_FUZZ_KNOWN"
# By the parameter's or the property's name: which of the known values may stand for it, and what it looks like.
_VOLUME = re.compile(r"sha256:[0-9a-f]{64}")
_KINDS = {
    "volume_id": ("images", _VOLUME),
    "moving": ("images", _VOLUME),
    "fixed": ("images", _VOLUME),
    "volume": ("images", _VOLUME),
    "template": ("images", _VOLUME),
    "moving_segmentation": ("segmentations", _VOLUME),
    "fixed_segmentation": ("segmentations", _VOLUME),
    "segmentation": ("segmentations", _VOLUME),
    "job_id": ("jobs", re.compile(r"job_[0-9a-f]{32}")),
    "subject": ("subjects", re.compile(r"[A-Za-z0-9._-]{1,64}")),
}
# One of four stays as it was made up.
_OF = 4


def environment(**known: Sequence[str]) -> dict[str, str]:
    """Of a process that is to know these values, by their kind."""
    return {_SETTING: json.dumps(known)}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ids in a path, except of what is going to be deleted."""
    if context.operation.method.upper() == "DELETE":
        return path_parameters
    return _with_known(path_parameters)


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Filters of a list."""
    return _with_known(query)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Ids in a submission."""
    return _with_known(body) if isinstance(body, dict) else body


def _with_known(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if not values:
        return values
    return {name: _replaced(name, value) for name, value in values.items()}


def _replaced(name: str, value: Any) -> Any:
    kind, form = _KINDS.get(name, ("", None))
    if form is None or not isinstance(value, str) or not form.fullmatch(value):
        return value
    known: list[str] = json.loads(os.environ[_SETTING])[kind]
    # By the value itself, so that a run can be repeated.
    number = int.from_bytes(hashlib.sha256(f"{name} {value}".encode()).digest()[:4], "big")
    return value if number % _OF == 0 else known[number % len(known)]
