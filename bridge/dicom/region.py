"""A box in the patient, and the voxels of a grid that it covers.

The box lies along the patient's axes (DICOM, LPS mm), the grid in any direction: what is taken of it is the smallest
box of whole voxels that holds the patient box, as far as the grid reaches. Nothing is interpolated.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from bridge.errors import RegionOutsideError, RegionTooSmallError
from eigenwarp.errors import GeometryInvalidError
from eigenwarp.volume import Geometry, Volume

Point = tuple[float, float, float]
Whole = tuple[int, int, int]

FEWEST_VOXELS: Final = 4
"""Along each axis: with fewer, no shape is seen that could be registered."""

_LPS_AND_RAS: Final = np.array([-1.0, -1.0, 1.0])
# A face of the box that lies on one between two voxels takes in neither's neighbour for the sake of rounding.
_ROUNDING_VOXELS: Final = 1e-4


@dataclass(frozen=True)
class PatientBox:
    """A box along the patient's axes.

    Args:
        low, high: corners, LPS mm.

    Raises:
        GeometryInvalidError: not finite, or no extent along an axis.
    """

    low: Point
    high: Point

    def __post_init__(self) -> None:
        for axis, low, high in zip("xyz", self.low, self.high, strict=True):
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise GeometryInvalidError(f"a box needs an extent along {axis}, got {low:g} to {high:g} mm")

    @classmethod
    def around(cls, corners: tuple[Point, Point]) -> "PatientBox":
        """Of two opposite corners in any order."""
        first, second = np.array(corners)
        return cls(_point(np.minimum(first, second)), _point(np.maximum(first, second)))

    def grown(self, margin_mm: float) -> "PatientBox":
        """With so much more on every side."""
        return PatientBox(_point(np.array(self.low) - margin_mm), _point(np.array(self.high) + margin_mm))

    @property
    def text(self) -> str:
        """For errors and lists."""
        return "×".join(f"[{low:.4g}, {high:.4g}]" for low, high in zip(self.low, self.high, strict=True)) + " mm (LPS)"


@dataclass(frozen=True)
class VoxelBox:
    """Part of a grid.

    Args:
        offset: its first voxel in the grid.
        shape: voxels along each axis.
    """

    offset: Whole
    shape: Whole

    @property
    def text(self) -> str:
        """For lists."""
        return f"{'×'.join(map(str, self.shape))} voxels from ({', '.join(map(str, self.offset))})"


def covered(geometry: Geometry, box: PatientBox) -> VoxelBox:
    """The voxels that a box covers, wholly or in part.

    A voxel reaches half a spacing to each side of its centre. On an oblique grid these are more than those whose
    centres lie in the box: all that the box of its eight corners' indices takes in.

    Args:
        geometry: world RAS mm.

    Raises:
        RegionOutsideError: box and grid do not meet; both are named.
        RegionTooSmallError: fewer than ``FEWEST_VOXELS`` along an axis are left.
    """
    corners = np.array(list(product(*zip(box.low, box.high, strict=True))))
    indices = geometry.to_voxel(corners * _LPS_AND_RAS)
    first = np.floor(indices.min(axis=0) + 0.5 + _ROUNDING_VOXELS).astype(int)
    behind = np.ceil(indices.max(axis=0) + 0.5 - _ROUNDING_VOXELS).astype(int)
    start, stop = np.maximum(first, 0), np.minimum(np.maximum(behind, first + 1), geometry.shape)
    if (start >= stop).any():
        raise RegionOutsideError(
            f"the box {box.text} does not meet the series, which lies within {_reach(geometry).text}"
        )
    shape = _whole(stop - start)
    if min(shape) < FEWEST_VOXELS:
        raise RegionTooSmallError(
            f"the box {box.text} covers {'×'.join(map(str, shape))} voxels of the series"
            f" ({'×'.join(f'{mm:.3g}' for mm in geometry.spacing)} mm, within {_reach(geometry).text}):"
            f" {FEWEST_VOXELS} along each axis are needed"
        )
    return VoxelBox(_whole(start), shape)


def cropped(volume: Volume, part: VoxelBox) -> Volume:
    """The part's voxels as they are, where they are."""
    x, y, z = (slice(start, start + length) for start, length in zip(part.offset, part.shape, strict=True))
    return Volume(np.ascontiguousarray(volume.data[x, y, z]), volume.geometry.cropped(part.offset, part.shape))


def _reach(geometry: Geometry) -> PatientBox:
    """The box around a grid's voxels."""
    ends = np.array(list(product(*((-0.5, n - 0.5) for n in geometry.shape))))
    corners = geometry.to_world(ends) * _LPS_AND_RAS
    return PatientBox(_point(corners.min(axis=0)), _point(corners.max(axis=0)))


def _point(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _whole(values: np.ndarray[tuple[int, ...], np.dtype[np.int_]]) -> Whole:
    x, y, z = (int(value) for value in values)
    return x, y, z
