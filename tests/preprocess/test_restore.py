import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eigenwarp.errors import GeometryInvalidError, LabelsNotIntegerError
from eigenwarp.preprocess import Preprocessing, restore_probabilities, restore_segmentation
from eigenwarp.volume import Geometry, Segmentation, Volume
from tests.volume.grids import geometries, noise, smooth_blob


@given(geometries(largest=8, smallest=2, spacing=1.0), st.integers(0, 99))
def test_at_the_models_spacing_labels_come_back_unchanged(geometry: Geometry, seed: int) -> None:
    preprocessing = Preprocessing((10, 9, 8))
    labels = np.random.default_rng(seed).integers(0, 4, geometry.shape).astype(np.uint16)
    segmentation = Segmentation(labels, geometry)
    grid = preprocessing.grid_for(Volume(noise(geometry.shape), geometry))
    prepared = preprocessing.prepare_segmentation(segmentation, grid)
    assert np.array_equal(restore_segmentation(prepared, grid, geometry).data, labels)
    one_hot = np.stack([prepared == label for label in range(4)]).astype(np.float32)
    assert np.array_equal(restore_probabilities(one_hot, (0, 1, 2, 3), grid, geometry).data, labels)


def test_beyond_the_models_grid_is_background() -> None:
    geometry = Geometry.from_spacing((20, 20, 20))
    preprocessing = Preprocessing((10, 10, 10))
    grid = preprocessing.grid_for(Volume(noise((20, 20, 20)), geometry))
    restored = restore_segmentation(np.full((10, 10, 10), 3, np.uint16), grid, geometry)
    assert restored.geometry is geometry
    assert np.array_equal(np.argwhere(restored.data == 3), np.argwhere(np.ones((10, 10, 10))) + 5)
    certain = np.stack([np.zeros((10, 10, 10)), np.ones((10, 10, 10))]).astype(np.float32)
    assert np.array_equal(restore_probabilities(certain, (0, 3), grid, geometry).data, restored.data)


@given(st.sampled_from([0.6, 1.7]).flatmap(lambda spacing: geometries(smallest=14, largest=16, spacing=spacing)))
def test_any_volume_gets_its_labels_back_to_within_a_voxel_of_the_surface(geometry: Geometry) -> None:
    # A ball in the world, six of the coarser voxels wide, to the model's grid and back.
    radius = 3 * max(*geometry.spacing, 1.0)
    distance = np.linalg.norm(geometry.to_world(geometry.voxel_grid()) - geometry.centre, axis=-1)
    segmentation = Segmentation((distance < radius).astype(np.uint16), geometry)
    side = int(np.ceil(2 * radius)) + 6
    preprocessing = Preprocessing((side, side, side))
    grid = preprocessing.grid_for(Volume(noise(geometry.shape), geometry))
    restored = restore_segmentation(preprocessing.prepare_segmentation(segmentation, grid), grid, geometry)
    away = np.abs(distance - radius) > np.linalg.norm(np.maximum(geometry.spacing, 1.0))
    assert np.array_equal(restored.data[away], segmentation.data[away])
    assert restored.data[away].any()


def test_probabilities_restore_a_finer_surface_than_nearest_labels() -> None:
    fine = Geometry.from_spacing((60, 60, 60), (0.5, 0.5, 0.5))
    grid = Geometry.from_spacing((15, 15, 15), (2.0, 2.0, 2.0))
    truth = smooth_blob(fine, np.zeros(3), 8.0) > 0.5
    blob = smooth_blob(grid, np.zeros(3), 8.0)
    soft = restore_probabilities(np.stack([1 - blob, blob]), (0, 5), grid, fine)
    hard = restore_segmentation(np.where(blob > 0.5, 5, 0), grid, fine)
    assert soft.labels == hard.labels == (5,)
    wrong_soft, wrong_hard = ((s.data > 0) != truth for s in (soft, hard))
    assert wrong_soft.sum() < 0.5 * wrong_hard.sum()


def test_refuses_arrays_that_are_not_on_the_grid() -> None:
    grid = Geometry.from_spacing((4, 5, 6))
    with pytest.raises(GeometryInvalidError, match=r"\(4, 5, 7\)"):
        restore_segmentation(np.zeros((4, 5, 7), np.uint16), grid, grid)
    with pytest.raises(LabelsNotIntegerError, match="-1"):
        restore_segmentation(np.full((4, 5, 6), -1), grid, grid)
    with pytest.raises(GeometryInvalidError, match=r"expected \(2, 4, 5, 6\)"):
        restore_probabilities(np.zeros((3, 4, 5, 6), np.float32), (0, 1), grid, grid)
