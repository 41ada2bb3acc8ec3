"""Pixels for the frames of a derived image, with the frames of the source that they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from highdicom import Volume as FrameVolume
from pydicom import Dataset
from pydicom.valuerep import format_number_as_ds

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.source import source_images


@dataclass(frozen=True, eq=False)
class FrameStack:
    """What highdicom's image classes take as ``source_images`` and ``pixel_array``.

    Args:
        images: the source's instances; the first is fit to take patient and study from.
        pixels: an array whose frame k belongs to image k, or a volume with its own geometry, whose frames highdicom
            matches to the source's by their position.
    """

    images: Sequence[Dataset]
    pixels: npt.NDArray[Any] | FrameVolume


def frame_stack(series: SeriesVolume, pixels: npt.NDArray[Any]) -> FrameStack:
    """A stack over all slices of the series.

    Args:
        pixels: (slices, rows, columns), as ``SeriesVolume.source_geometry``.
    """
    if any(frame.number is not None for frame in series.frames):
        return FrameStack(source_images(series.datasets), _placed(series, pixels, slice(None)))
    # Position and orientation are then the source's own to the last digit, whatever its rounding.
    images = source_images([series.datasets[frame.dataset] for frame in series.frames])
    _say_spacing(images[0], series.source_geometry.spacing[0])
    return FrameStack(images, pixels)


def frame_box(series: SeriesVolume, pixels: npt.NDArray[Any], inside: npt.NDArray[np.bool_]) -> FrameStack:
    """A stack over the smallest box of the series' pixels that holds all those inside.

    Args:
        pixels, inside: (slices, rows, columns); at least one pixel is inside.
    """
    if inside.all():
        return frame_stack(series, pixels)
    box = tuple(
        slice(int(found[0]), int(found[-1]) + 1)
        for found in (np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3))
    )
    return FrameStack(source_images(series.datasets), _placed(series, pixels, box))


def _say_spacing(image: Dataset, millimetres: float) -> None:
    """What highdicom takes the frames' measures from; ``image`` is a copy of the source's first.

    SpacingBetweenSlices is what the positions say: some scanners and compressors state the gap between slices there,
    or 1. SliceThickness may be missing or empty (type 2), and is then the spacing.
    """
    image.SpacingBetweenSlices = format_number_as_ds(float(millimetres))
    if not image.get("SliceThickness"):
        image.SliceThickness = image.SpacingBetweenSlices


def _placed(series: SeriesVolume, pixels: npt.NDArray[Any], box: Any) -> FrameVolume:
    return series.source_geometry.with_array(np.ascontiguousarray(pixels))[box]
