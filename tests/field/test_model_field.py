import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField, field_from_model, warp_volume
from eigenwarp.volume import Geometry
from tests.field.pairs import model_grid, random_geometry, smooth_displacement, smooth_image

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)
SHAPE = (9, 10, 8)


@few
@given(SEEDS)
def test_no_displacement_between_equal_grids_is_the_identity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fixed = random_geometry(rng, (7, 6, 5), degrees=90)
    grid = model_grid(fixed, SHAPE, rng)
    field = field_from_model(np.zeros((*SHAPE, 3)), grid, grid, fixed)
    np.testing.assert_allclose(field.displacement, 0, atol=1e-9)


@few
@given(SEEDS)
def test_a_constant_displacement_is_that_step_of_the_moving_grid_everywhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fixed = random_geometry(rng, (7, 6, 5), degrees=90)
    grid = model_grid(fixed, SHAPE, rng)
    d = rng.uniform(-3, 3, 3)
    field = field_from_model(np.broadcast_to(d, (*SHAPE, 3)), grid, grid, fixed)
    expected = np.broadcast_to(grid.affine[:3, :3] @ d, field.displacement.shape)
    np.testing.assert_allclose(field.displacement, expected, rtol=1e-5, atol=1e-5)


@few
@given(SEEDS)
def test_each_voxel_follows_the_chain_of_the_definition(seed: int) -> None:
    """Checked at fixed points that fall on the model's voxels, where nothing is interpolated."""
    rng = np.random.default_rng(seed)
    fixed_grid = random_geometry(rng, SHAPE, degrees=90)
    moving_grid = random_geometry(rng, SHAPE, degrees=90)
    d = rng.uniform(-2, 2, (*SHAPE, 3)).astype(np.float32)
    fixed = fixed_grid.cropped((1, 2, 3), (6, 5, 4))
    field = field_from_model(d, moving_grid, fixed_grid, fixed)
    voxel = np.array([rng.integers(0, n) for n in fixed.shape])
    model_voxel = voxel + np.array([1, 2, 3])
    arrived = fixed.to_world(voxel) + field.displacement[tuple(voxel)]
    np.testing.assert_allclose(arrived, moving_grid.to_world(model_voxel + d[tuple(model_voxel)]), atol=1e-4)


@few
@given(SEEDS)
def test_a_rigid_motion_of_the_world_turns_the_field_along(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fixed, moving = random_geometry(rng, (7, 6, 5)), random_geometry(rng, (6, 7, 8))
    fixed_grid, moving_grid = model_grid(fixed, SHAPE, rng), model_grid(moving, SHAPE, rng)
    d = smooth_displacement(rng, SHAPE, 2.0, sigma=2.0)
    motion = np.eye(4)
    motion[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    motion[:3, 3] = rng.uniform(-50, 50, 3)

    def moved(geometry: Geometry) -> Geometry:
        return Geometry(geometry.shape, motion @ geometry.affine)

    before = field_from_model(d, moving_grid, fixed_grid, fixed)
    after = field_from_model(d, moved(moving_grid), moved(fixed_grid), moved(fixed))
    np.testing.assert_allclose(after.displacement, before.displacement @ motion[:3, :3].T, atol=2e-4)


def test_beyond_the_models_grid_the_nearest_displacement_holds() -> None:
    grid = Geometry((2, 2, 2), np.eye(4))
    d = np.zeros((2, 2, 2, 3))
    d[1] = (0.0, 3.0, 0.0)
    fixed = Geometry((9, 2, 2), Geometry((2, 2, 2), np.eye(4)).cropped((-4, 0, 0), (9, 2, 2)).affine)
    field = field_from_model(d, grid, grid, fixed)
    np.testing.assert_allclose(field.displacement[:, 0, 0, 1], [0, 0, 0, 0, 0, 3, 3, 3, 3], atol=1e-6)


def test_the_field_alone_moves_the_original_image_onto_the_fixed_grid() -> None:
    """The model's view of both images agrees: warped on the model's grid, or through the whole field."""
    rng = np.random.default_rng(3)
    moving, _ = smooth_image(rng, random_geometry(rng, (20, 22, 18)))
    fixed_grid = random_geometry(rng, moving.shape)
    d = smooth_displacement(rng, moving.shape, 2.0)
    field = field_from_model(d, moving.geometry, fixed_grid, fixed_grid)
    in_voxels = field_from_model(
        d, Geometry(moving.shape, np.eye(4)), Geometry(moving.shape, np.eye(4)), Geometry(moving.shape, np.eye(4))
    )
    array_only = type(moving)(moving.data, Geometry(moving.shape, np.eye(4)))
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(
        warp_volume(moving, field).data[inner], warp_volume(array_only, in_voxels).data[inner], atol=0.02
    )


@pytest.mark.parametrize("shape", [(9, 10, 8), (9, 10, 8, 2), (8, 10, 9, 3)])
def test_a_displacement_that_does_not_fit_the_grids_is_refused(shape: tuple[int, ...]) -> None:
    grid = Geometry.from_spacing(SHAPE)
    with pytest.raises(FieldInvalidError, match="expected \\(9, 10, 8, 3\\)"):
        field_from_model(np.zeros(shape), grid, grid, grid)


def test_model_displacements_that_are_not_finite_are_refused() -> None:
    grid = Geometry.from_spacing(SHAPE)
    with pytest.raises(FieldInvalidError, match="NaN"):
        field_from_model(np.full((*SHAPE, 3), np.nan), grid, grid, grid)


def test_the_identity_field_moves_nothing() -> None:
    rng = np.random.default_rng(4)
    image, _ = smooth_image(rng, random_geometry(rng, (6, 7, 8)))
    warped = warp_volume(image, DisplacementField.identity(image.geometry))
    np.testing.assert_allclose(warped.data, image.data, atol=1e-3)
