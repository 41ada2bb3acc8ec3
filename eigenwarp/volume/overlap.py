"""How well two segmentations on one grid agree, and how large their labels are."""

from collections.abc import Iterable

import numpy as np

from eigenwarp.errors import SegmentationGeometryError
from eigenwarp.volume.volume import Segmentation


def dice(first: Segmentation, second: Segmentation, labels: Iterable[int]) -> dict[int, float]:
    """Dice of each label, 2|A∩B| / (|A| + |B|): 1 for the same voxels, 0 for none in common.

    Args:
        first, second: on the same grid.
        labels: background is not a label and has no Dice; 0 among them is an error of the caller's.

    Returns:
        By label; NaN for a label that neither segmentation holds.

    Raises:
        SegmentationGeometryError: two grids.
    """
    require_one_grid(first, second)
    scores = {}
    for label in labels:
        in_first, in_second = first.data == label, second.data == label
        size = np.count_nonzero(in_first) + np.count_nonzero(in_second)
        scores[label] = 2 * np.count_nonzero(in_first & in_second) / size if size else float("nan")
    return scores


def label_volumes(segmentation: Segmentation, labels: Iterable[int]) -> dict[int, float]:
    """Volume of each label, mm³; 0 where it is absent."""
    counts = np.bincount(segmentation.data.ravel(), minlength=1)
    voxel = segmentation.geometry.voxel_volume
    return {label: float(counts[label] * voxel) if label < len(counts) else 0.0 for label in labels}


def require_one_grid(first: Segmentation, second: Segmentation) -> None:
    """Refuse two segmentations that lie on different grids.

    Raises:
        SegmentationGeometryError: they differ in shape or position.
    """
    if not first.geometry.matches(second.geometry):
        raise SegmentationGeometryError(
            f"segmentations of shape {first.shape} and {second.shape} lie on different grids and cannot be compared"
        )
