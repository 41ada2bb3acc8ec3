"""Numbers that a series' geometry needs, read from its attributes and believed only after a look."""

import math

from pydicom import Dataset
from pydicom.datadict import keyword_dict

from bridge.errors import AttributeMissingError


def required_numbers(of: Dataset | None, keyword: str, count: int, where: str) -> tuple[float, ...]:
    """The values of a numeric attribute.

    Args:
        of: the dataset, or functional group, that should hold it; None where there is none.
        keyword: DICOM's keyword.
        count: how many values it must have.
        where: the instance's or the frame's name, for the error.

    Raises:
        AttributeMissingError: missing, empty, of another number of values, or not finite numbers.
    """
    found = None if of is None else of.get(keyword)
    if found is None or found == "":
        raise AttributeMissingError(f"{attribute_name(keyword)} is missing from {where}")
    values = [found] if count == 1 and not hasattr(found, "__len__") else list(found)
    if len(values) != count:
        raise AttributeMissingError(f"{attribute_name(keyword)} of {where} has {len(values)} values, expected {count}")
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = (math.nan,)
    if not all(math.isfinite(number) for number in numbers):
        raise AttributeMissingError(f"{attribute_name(keyword)} of {where} does not hold finite numbers")
    return numbers


def attribute_name(keyword: str) -> str:
    """The keyword with its tag, such as ``PixelSpacing (0028,0030)``."""
    tag = int(keyword_dict[keyword])
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
