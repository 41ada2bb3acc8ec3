"""The frames of a series, one by one, whether each is an instance of its own or all of them lie in one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from bridge.dicom.attributes import attribute_name, required_numbers
from bridge.dicom.series_volume import SourceFrame
from bridge.errors import AttributeMissingError

FloatArray = npt.NDArray[np.float64]
AcquisitionKey = tuple[float, float, float, str, float, int]


@dataclass(frozen=True, eq=False)
class Frame:
    """What a frame says of its place.

    Args:
        source: where it is stored.
        name: for errors: the instance by its number, the frame by its own.
        instance_number: None where the instance has none.
        position: of its first pixel's centre, LPS mm, (3,).
        orientation: direction cosines along a row and down a column, LPS, (2, 3).
        pixel_spacing: between rows, between columns, mm.
        matrix: rows, columns.
        acquired: orders frames at one position by time point, acquisition, echo, time and number.
    """

    source: SourceFrame
    name: str
    instance_number: int | None
    position: FloatArray
    orientation: FloatArray
    pixel_spacing: tuple[float, float]
    matrix: tuple[int, int]
    acquired: AcquisitionKey


def frames_of(datasets: Sequence[Dataset]) -> list[Frame]:
    """Every frame of the instances, in the order received.

    Raises:
        AttributeMissingError: an attribute that the geometry needs is missing or has no usable value.
    """
    found: list[Frame] = []
    for index, (dataset, name) in enumerate(zip(datasets, instance_names(datasets), strict=True)):
        count = _frame_count(dataset, name)
        if count is None:
            found.append(_frame(dataset, dataset, dataset, dataset, SourceFrame(index, None), name))
            continue
        for number in range(1, count + 1):
            position = functional_group(dataset, number, "PlanePositionSequence")
            orientation = functional_group(dataset, number, "PlaneOrientationSequence")
            measures = functional_group(dataset, number, "PixelMeasuresSequence")
            source, frame_name = SourceFrame(index, number), f"frame {number} of {name}"
            found.append(_frame(dataset, position, orientation, measures, source, frame_name))
    return found


def instance_names(datasets: Sequence[Dataset]) -> list[str]:
    """``instance 7`` by InstanceNumber; where that is missing or repeated, with the place in the order of arrival."""
    numbers = [_whole(dataset.get("InstanceNumber")) for dataset in datasets]
    counts = Counter(numbers)
    names = []
    for place, number in enumerate(numbers, start=1):
        if number is None:
            names.append(f"the instance received as number {place}")
        elif counts[number] > 1:
            names.append(f"instance {number} (received as number {place})")
        else:
            names.append(f"instance {number}")
    return names


def functional_group(dataset: Dataset, number: int, sequence: str) -> Dataset | None:
    """A frame's functional group of an enhanced instance: its own, else the shared one, else None."""
    per_frame = dataset.PerFrameFunctionalGroupsSequence[number - 1]
    shared = dataset.get("SharedFunctionalGroupsSequence") or [Dataset()]
    for group in (per_frame, shared[0]):
        items = group.get(sequence)
        if items:
            found: Dataset = items[0]
            return found
    return None


def _frame_count(dataset: Dataset, name: str) -> int | None:
    """How many frames an enhanced instance has; None for a single-frame instance."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    stated = _whole(dataset.get("NumberOfFrames")) or 1
    if not per_frame:
        if stated > 1:
            sequence = attribute_name("PerFrameFunctionalGroupsSequence")
            raise AttributeMissingError(f"{sequence} is missing from {name}, which has {stated} frames")
        return None
    if len(per_frame) != stated:
        sequence = attribute_name("PerFrameFunctionalGroupsSequence")
        raise AttributeMissingError(f"{sequence} of {name} has {len(per_frame)} items for {stated} frames")
    return stated


def _frame(
    dataset: Dataset,
    plane_position: Dataset | None,
    plane_orientation: Dataset | None,
    pixel_measures: Dataset | None,
    source: SourceFrame,
    name: str,
) -> Frame:
    position = required_numbers(plane_position, "ImagePositionPatient", 3, name)
    orientation = required_numbers(plane_orientation, "ImageOrientationPatient", 6, name)
    between_rows, between_columns = required_numbers(pixel_measures, "PixelSpacing", 2, name)
    if min(between_rows, between_columns) <= 0:
        raise AttributeMissingError(
            f"{attribute_name('PixelSpacing')} of {name} must be positive, got {between_rows:g} and {between_columns:g}"
        )
    (rows,) = required_numbers(dataset, "Rows", 1, name)
    (columns,) = required_numbers(dataset, "Columns", 1, name)
    return Frame(
        source=source,
        name=name,
        instance_number=_whole(dataset.get("InstanceNumber")),
        position=np.array(position),
        orientation=np.array(orientation).reshape(2, 3),
        pixel_spacing=(between_rows, between_columns),
        matrix=(int(rows), int(columns)),
        acquired=_acquired(dataset, source),
    )


def _acquired(dataset: Dataset, source: SourceFrame) -> AcquisitionKey:
    content = None if source.number is None else functional_group(dataset, source.number, "FrameContentSequence")
    own = Dataset() if content is None else content
    instance_number = _whole(dataset.get("InstanceNumber"))
    return (
        _first_number(own.get("TemporalPositionIndex"), dataset.get("TemporalPositionIdentifier")),
        _first_number(own.get("FrameAcquisitionNumber"), dataset.get("AcquisitionNumber")),
        _first_number(dataset.get("EchoNumbers")),
        str(own.get("FrameAcquisitionDateTime") or dataset.get("AcquisitionTime") or ""),
        0.0 if instance_number is None else float(instance_number),
        source.number or 0,
    )


def _first_number(*values: object) -> float:
    for value in values:
        number = _whole(value)
        if number is not None:
            return float(number)
    return 0.0


def _whole(value: object) -> int | None:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return None
