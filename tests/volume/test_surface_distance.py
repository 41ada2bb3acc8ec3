"""HD95 of shapes whose surfaces lie a known distance apart."""

import math

import numpy as np
import pytest

from eigenwarp.errors import GeometryInvalidError, SegmentationGeometryError
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.surface_distance import hausdorff95

GRID = Geometry.from_spacing((24, 20, 20), (1.5, 1.0, 2.0))


def box(offset: int, size: int = 6, geometry: Geometry = GRID) -> Segmentation:
    data = np.zeros(geometry.shape, dtype=np.uint16)
    data[offset : offset + size, 4:10, 4:10] = 1
    return Segmentation(data, geometry)


def brute_force(first: Segmentation, second: Segmentation) -> float:
    """From the definition: all pairs of surface voxels."""

    def surface(segmentation: Segmentation) -> np.ndarray:
        mask = np.pad(segmentation.data == 1, 1)
        inner = mask.copy()
        for axis in range(3):
            inner &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
        return segmentation.geometry.to_world(np.argwhere(mask & ~inner) - 1)

    a, b = surface(first), surface(second)
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    return float(max(np.percentile(distance.min(axis=1), 95), np.percentile(distance.min(axis=0), 95)))


def test_the_same_surface_is_no_distance_away() -> None:
    assert hausdorff95(box(3), box(3), [1]) == {1: 0.0}


def test_a_shifted_box_is_as_far_away_as_its_shift_in_millimetres() -> None:
    assert hausdorff95(box(3), box(5), [1])[1] == pytest.approx(2 * 1.5)


def test_random_shapes_agree_with_all_pairs() -> None:
    random = np.random.default_rng(0)
    for _ in range(5):
        first, second = (Segmentation((random.random(GRID.shape) > 0.97).astype(np.uint16), GRID) for _ in range(2))
        assert hausdorff95(first, second, [1])[1] == pytest.approx(brute_force(first, second))


def test_it_does_not_matter_which_comes_first() -> None:
    assert hausdorff95(box(3), box(4, size=9), [1]) == hausdorff95(box(4, size=9), box(3), [1])


def test_a_label_at_the_grids_edge_has_a_surface_there() -> None:
    whole = Segmentation(np.ones(GRID.shape, dtype=np.uint16), GRID)
    assert hausdorff95(whole, box(3), [1])[1] == pytest.approx(brute_force(whole, box(3)))


def test_an_absent_label_has_no_distance() -> None:
    assert math.isnan(hausdorff95(box(3), box(3), [2])[2])


def test_two_grids_and_sheared_grids_are_refused() -> None:
    with pytest.raises(SegmentationGeometryError):
        hausdorff95(box(3), box(3, geometry=Geometry.from_spacing(GRID.shape, (1.5, 1.0, 2.1))), [1])
    affine = GRID.affine.copy()
    affine[0, 1] = 0.2
    sheared = Geometry(GRID.shape, affine)
    with pytest.raises(GeometryInvalidError, match="sheared"):
        hausdorff95(box(3, geometry=sheared), box(3, geometry=sheared), [1])
