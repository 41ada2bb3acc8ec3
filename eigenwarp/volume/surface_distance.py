"""How far apart the surfaces of a label lie in two segmentations."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, distance_transform_edt

from eigenwarp.volume.overlap import require_one_grid
from eigenwarp.volume.volume import Segmentation

BoolArray = npt.NDArray[np.bool_]


def hausdorff95(first: Segmentation, second: Segmentation, labels: Iterable[int]) -> dict[int, float]:
    """HD95 of each label: the 95th percentile of the distances between the surfaces, the larger of both directions.

    A surface is the label's voxels with a face towards another label or the grid's edge; distances run between voxel
    centres. Every surface voxel counts the same, whatever the area it stands for.

    Args:
        first, second: on the same grid, whose axes are at right angles.
        labels: background left out.

    Returns:
        mm by label; NaN for a label that one of the segmentations does not hold.

    Raises:
        SegmentationGeometryError: two grids.
        GeometryInvalidError: a sheared grid.
    """
    require_one_grid(first, second)
    spacing = first.geometry.require_right_angles().spacing
    return {label: _hausdorff95(first.data == label, second.data == label, spacing) for label in labels}


def _hausdorff95(first: BoolArray, second: BoolArray, spacing: tuple[float, float, float]) -> float:
    if not first.any() or not second.any():
        return float("nan")
    box = _bounding_box(first | second)
    surfaces = _surface(first[box]), _surface(second[box])
    # The distance of every voxel to each surface; surfaces of both lie inside the box, so nothing is lost by cropping.
    to_first, to_second = (distance_transform_edt(~surface, sampling=spacing) for surface in surfaces)
    return float(max(np.percentile(to_second[surfaces[0]], 95), np.percentile(to_first[surfaces[1]], 95)))


def _surface(mask: BoolArray) -> BoolArray:
    # Padding makes voxels at the box's edge count as surface.
    eroded: BoolArray = binary_erosion(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]
    return mask & ~eroded


def _bounding_box(mask: BoolArray) -> tuple[slice, slice, slice]:
    slices = []
    for axis in range(3):
        present = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        slices.append(slice(int(present[0]), int(present[-1]) + 1))
    return slices[0], slices[1], slices[2]
