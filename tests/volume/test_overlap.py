"""Dice and label volumes against numbers worked out by hand."""

import math

import numpy as np
import pytest

from eigenwarp.errors import SegmentationGeometryError
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.overlap import dice, label_volumes

GRID = Geometry(shape=(10, 4, 4), affine=np.diag([-2.0, 1.0, 3.0, 1.0]))


def slab(first: int, last: int, label: int = 1, geometry: Geometry = GRID) -> Segmentation:
    data = np.zeros(geometry.shape, dtype=np.uint16)
    data[first:last] = label
    return Segmentation(data, geometry)


def test_dice_is_twice_the_intersection_over_both_sizes() -> None:
    # 4 planes and 6 planes, 3 in common.
    assert dice(slab(0, 4), slab(1, 7), [1])[1] == pytest.approx(2 * 3 / (4 + 6))


def test_dice_is_one_for_the_same_voxels_and_zero_for_disjoint_ones() -> None:
    assert dice(slab(2, 5), slab(2, 5), [1]) == {1: 1.0}
    assert dice(slab(0, 3), slab(5, 8), [1]) == {1: 0.0}


def test_labels_do_not_mix() -> None:
    assert dice(slab(2, 5, label=1), slab(2, 5, label=2), [1, 2]) == {1: 0.0, 2: 0.0}


def test_a_label_in_neither_segmentation_has_no_dice() -> None:
    assert math.isnan(dice(slab(0, 4), slab(0, 4), [7])[7])


def test_segmentations_of_two_grids_are_not_compared() -> None:
    moved = Geometry(GRID.shape, GRID.affine + np.array([[0, 0, 0, 5.0], [0] * 4, [0] * 4, [0] * 4]))
    with pytest.raises(SegmentationGeometryError, match="different grids"):
        dice(slab(0, 4), slab(0, 4, geometry=moved), [1])


def test_volumes_count_millimetres_and_not_voxels() -> None:
    # Two planes of 16 voxels of 2 × 1 × 3 mm.
    assert label_volumes(slab(3, 5, label=300), [300, 2, 999]) == {300: 192.0, 2: 0.0, 999: 0.0}
