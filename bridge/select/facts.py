"""What rules look at: attributes of a series, each of which may be missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.multival import MultiValue

from bridge.objects.identity import is_result

HEADER_TAGS = (
    "SOPClassUID",
    "Modality",
    "SeriesDescription",
    "StudyDescription",
    "ProtocolName",
    "BodyPartExamined",
    "ImageType",
    "Laterality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "Manufacturer",
    "ManufacturerModelName",
)
"""Attributes that have to be read."""


@dataclass(frozen=True)
class SeriesFacts:
    """A series as rules see it; None for what it does not say.

    Args:
        sop_classes: of its instances.
        rows, columns: the smallest and the largest of its instances, as (from, to).
        images: instances, or frames of multi-frame ones.
        is_own: whether the bridge made it.
    """

    modality: str | None
    sop_classes: frozenset[str]
    series_description: str | None
    study_description: str | None
    protocol_name: str | None
    body_part: str | None
    image_type: str | None
    laterality: str | None
    rows: tuple[int, int] | None
    columns: tuple[int, int] | None
    images: int
    is_own: bool

    def tag(self, name: str) -> str | None:
        """The value of an attribute that ``Side.tag`` may name."""
        return {
            "Laterality": self.laterality,
            "SeriesDescription": self.series_description,
            "ProtocolName": self.protocol_name,
            "StudyDescription": self.study_description,
            "BodyPartExamined": self.body_part,
        }[name]


def facts_of(datasets: Sequence[Dataset]) -> SeriesFacts:
    """What the instances of a series say together: of a text the first that one has."""
    return SeriesFacts(
        modality=_text(datasets, "Modality"),
        sop_classes=frozenset(str(one.SOPClassUID) for one in datasets if one.get("SOPClassUID")),
        series_description=_text(datasets, "SeriesDescription"),
        study_description=_text(datasets, "StudyDescription"),
        protocol_name=_text(datasets, "ProtocolName"),
        body_part=_text(datasets, "BodyPartExamined"),
        image_type=_text(datasets, "ImageType"),
        laterality=_text(datasets, "Laterality"),
        rows=_range(datasets, "Rows"),
        columns=_range(datasets, "Columns"),
        images=sum(_number(one, "NumberOfFrames") or 1 for one in datasets),
        is_own=any(is_result(one) for one in datasets),
    )


def _text(datasets: Iterable[Dataset], name: str) -> str | None:
    for dataset in datasets:
        value = dataset.get(name)
        if isinstance(value, MultiValue):
            value = "\\".join(str(part) for part in value)
        if value is not None and str(value).strip():
            return str(value).strip()
    return None


def _number(dataset: Dataset, name: str) -> int | None:
    try:
        return int(dataset.get(name))
    except (TypeError, ValueError):
        return None


def _range(datasets: Iterable[Dataset], name: str) -> tuple[int, int] | None:
    found = [number for dataset in datasets if (number := _number(dataset, name)) is not None]
    return (min(found), max(found)) if found else None
