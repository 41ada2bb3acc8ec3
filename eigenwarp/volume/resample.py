"""Reading an image's array at the voxels of another grid.

A voxel's box belongs to the image, so the image ends half a voxel beyond the outermost centres; in that skirt the
outermost plane is continued. Grids that coincide, up to flips and permuted axes, are copied without interpolation.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from eigenwarp.volume.geometry import Geometry

# Grids whose voxels coincide to this part of a voxel are cropped and padded.
_COINCIDENCE = 1e-3
# Rounding, in voxels: of the image's outer faces, and of points half-way between two voxels.
_ROUNDING = 1e-6

Scalar = TypeVar("Scalar", bound=np.generic)
BoolArray = npt.NDArray[np.bool_]


def resample_linear(
    data: npt.NDArray[np.floating], source: Geometry, target: Geometry
) -> tuple[npt.NDArray[np.float32], BoolArray]:
    """Trilinear intensities at the target's voxels.

    Args:
        data: (X, Y, Z) on the source grid.
        source: where the array lies.
        target: where it is read.

    Returns:
        Values of the target's shape, 0 outside the image; and whether each voxel lies inside the image.
    """
    floating = np.asarray(data, dtype=np.float32)
    matrix = source.inverse_affine @ target.affine
    values = np.zeros(target.shape, dtype=np.float32)
    inside = np.zeros(target.shape, dtype=np.bool_)
    if _coincide(matrix, target):
        to, of = _overlap(matrix, source, target)
        values[to] = floating.transpose(_axes(matrix))[of]
        inside[to] = True
    else:
        for x, at, within in _slabs(matrix, source, target):
            inside[x] = within
            values[x, within] = map_coordinates(floating, at, order=1, mode="nearest")
    return values, inside


def resample_nearest(
    data: npt.NDArray[Scalar], source: Geometry, target: Geometry
) -> tuple[npt.NDArray[Scalar], BoolArray]:
    """The nearest voxel's value at the target's voxels, half-way points taking the higher index.

    Args, returns: as ``resample_linear``, of the array's own type.
    """
    matrix = source.inverse_affine @ target.affine
    values = np.zeros(target.shape, dtype=data.dtype)
    inside = np.zeros(target.shape, dtype=np.bool_)
    if _coincide(matrix, target):
        to, of = _overlap(matrix, source, target)
        values[to] = data.transpose(_axes(matrix))[of]
        inside[to] = True
    else:
        for x, at, within in _slabs(matrix, source, target):
            inside[x] = within
            i, j, k = np.floor(at + (0.5 + _ROUNDING)).astype(np.int64)
            values[x, within] = data[i, j, k]
    return values, inside


def _coincide(matrix: npt.NDArray[np.float64], target: Geometry) -> bool:
    """Whether every voxel of the target is one of the source's (continued) grid."""
    nearest = np.rint(matrix[:3])
    turns = np.abs(nearest[:, :3])
    if not ((turns.sum(axis=0) == 1).all() and (turns.sum(axis=1) == 1).all()):
        return False
    error = np.abs(matrix[:3] - nearest)
    return bool((error[:, :3] @ (np.array(target.shape) - 1) + error[:, 3] < _COINCIDENCE).all())


def _axes(matrix: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    """The source's axis that each of the target's axes runs along."""
    x, y, z = (int(axis) for axis in np.abs(matrix[:3, :3]).argmax(axis=0))
    return x, y, z


def _overlap(
    matrix: npt.NDArray[np.float64], source: Geometry, target: Geometry
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The target's part inside the image, and the same voxels in the source with its axes put in the target's order."""
    index = np.rint(matrix[:3]).astype(np.int64)
    to, of = [], []
    for column, axis in enumerate(_axes(matrix)):
        step, first, length = int(index[axis, column]), int(index[axis, 3]), source.shape[axis]
        # The voxels t with 0 ≤ first + step·t < length, step being 1 or −1.
        low, high = (-first, length - first) if step > 0 else (first - length + 1, first + 1)
        low = min(max(low, 0), target.shape[column])
        high = max(min(high, target.shape[column]), low)
        begin, end = first + step * low, first + step * high
        to.append(slice(low, high))
        of.append(slice(begin, end if end >= 0 else None, step) if high > low else slice(0, 0))
    return tuple(to), tuple(of)


def _slabs(
    matrix: npt.NDArray[np.float64], source: Geometry, target: Geometry
) -> Iterator[tuple[int, npt.NDArray[np.float64], BoolArray]]:
    """For each x with a voxel inside the image: its source coordinates (3, n) and where they belong (Y, Z).

    One slab at a time, because the coordinates of a whole 512³ grid would take three gigabytes.
    """
    linear, offset = matrix[:3, :3], matrix[:3, 3]
    size = np.array(source.shape, dtype=np.float64)
    rows = np.arange(target.shape[1], dtype=np.float64)[:, None]
    columns = np.arange(target.shape[2], dtype=np.float64)
    plane = linear[:, 1, None, None] * rows + linear[:, 2, None, None] * columns + offset[:, None, None]
    for x in range(target.shape[0]):
        at = plane + x * linear[:, 0, None, None]
        within: BoolArray = np.all((at >= -0.5 - _ROUNDING) & (at <= size[:, None, None] - 0.5 + _ROUNDING), axis=0)
        if within.any():
            yield x, np.clip(at[:, within], 0, size[:, None] - 1), within
