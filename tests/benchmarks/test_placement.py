import numpy as np
import pytest

from benchmarks.placement import Placement
from benchmarks.subjects import Pair
from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Geometry, Volume
from tests.benchmarks.translation import translation
from training.data.synthetic import make_subject


def test_the_placed_volume_lies_on_the_fixed_one(shifted_pair: Pair, preprocessing: Preprocessing) -> None:
    placed = Placement.of(preprocessing, shifted_pair.moving, shifted_pair.fixed).place(shifted_pair.moving)
    assert placed.geometry.matches(shifted_pair.fixed.geometry)
    np.testing.assert_array_equal(placed.data, shifted_pair.moving.data)


def test_the_identity_is_restored_to_the_initial_alignment() -> None:
    """An oblique moving volume of another shape: its grid's centre voxel must come onto the fixed grid's."""
    preprocessing = Preprocessing(shape=(16, 16, 16))
    fixed, _, _ = make_subject(np.random.default_rng(0), (16, 16, 16))
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, (50, 60, 70)
    moving = Volume(make_subject(np.random.default_rng(1), (20, 18, 16))[0].data, Geometry((20, 18, 16), affine))
    placement = Placement.of(preprocessing, moving, fixed)
    field = placement.restore(DisplacementField.identity(fixed.geometry), fixed.geometry)
    moving_grid, fixed_grid = preprocessing.grids_for_pair(moving, fixed)
    on_model_grid = fixed_grid.to_voxel(fixed.geometry.to_world(fixed.geometry.voxel_grid()))
    expected = moving_grid.to_world(on_model_grid)
    found = fixed.geometry.to_world(fixed.geometry.voxel_grid()) + field.displacement
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_displacement_of_the_placed_volume_is_turned_with_it(
    shifted_pair: Pair, preprocessing: Preprocessing
) -> None:
    fixed = shifted_pair.fixed.geometry
    placement = Placement.of(preprocessing, shifted_pair.moving, shifted_pair.fixed)
    field = placement.restore(translation(fixed, np.array([1, 2, 3], dtype=np.float32)), fixed)
    np.testing.assert_allclose(field.displacement, np.broadcast_to((41, -23, 13), field.displacement.shape), atol=1e-4)


def test_a_field_on_another_grid_is_refused(shifted_pair: Pair, preprocessing: Preprocessing) -> None:
    placement = Placement.of(preprocessing, shifted_pair.moving, shifted_pair.fixed)
    with pytest.raises(FieldInvalidError, match="expected that of"):
        placement.restore(DisplacementField.identity(shifted_pair.moving.geometry), shifted_pair.fixed.geometry)
