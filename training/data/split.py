"""Which subjects a model is trained on and which it is measured on: ``split.json``."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eigenwarp.errors import DataSetError

SPLIT_FILE = "split.json"

_SPLIT = TypeAdapter(dict[str, tuple[str, ...]])


def read_split(path: Path) -> dict[str, tuple[str, ...]]:
    """The groups of a split file: ``{"train": [subject names], "validation": [subject names]}``.

    Raises:
        DataSetError: not such a file, or a subject listed twice, be it in one group or in two.
    """
    try:
        split = _SPLIT.validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataSetError(f"{path} is not a split: it must map each group to a list of subject names") from error
    group_of: dict[str, str] = {}
    for group, names in split.items():
        for name in names:
            # A subject in both groups would be measured on what it was trained on.
            if name in group_of:
                raise DataSetError(f"{path} lists subject {name!r} twice, in {group_of[name]!r} and in {group!r}")
            group_of[name] = group
    return split


def members(split: Mapping[str, tuple[str, ...]], group: str, known: Iterable[str], source: Path) -> tuple[str, ...]:
    """The subject names of one group, in sorted order.

    Args:
        split: what :func:`read_split` gave.
        group: the group asked for.
        known: the subjects that the data set holds.
        source: where the split was read from, for the message.

    Raises:
        DataSetError: no such group, an empty one, or one that names a subject the data set does not hold.
    """
    if group not in split:
        raise DataSetError(f"{source} has no group {group!r}; it has {', '.join(map(repr, split)) or 'none'}")
    names = tuple(sorted(split[group]))
    if not names:
        raise DataSetError(f"the group {group!r} of {source} is empty")
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise DataSetError(
            f"the group {group!r} of {source} names {len(unknown)} unknown subjects, first {unknown[0]!r}"
        )
    return names
