import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate
from scipy.spatial.transform import Rotation

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import (
    DisplacementField,
    field_from_model,
    folding_share,
    jacobian_determinant,
    sd_log_jacobian,
)
from eigenwarp.volume import Geometry
from tests.field.affine_fields import affine_field
from tests.field.pairs import random_geometry, smooth_displacement


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_affine_field_has_its_matrixs_determinant_everywhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = random_geometry(rng, (6, 7, 5), degrees=90)
    matrix = np.eye(3) + rng.uniform(-0.5, 0.5, (3, 3))
    jacobian = jacobian_determinant(affine_field(geometry, matrix, geometry.centre))
    np.testing.assert_allclose(jacobian, np.linalg.det(matrix), atol=1e-4)


@pytest.mark.parametrize("degrees", [10, 90, 180])
def test_a_rotation_keeps_volume_on_an_oblique_anisotropic_grid(degrees: float) -> None:
    geometry = random_geometry(np.random.default_rng(degrees), (6, 7, 5), degrees=40)
    turn = Rotation.from_euler("xyz", [degrees, 20, -30], degrees=True).as_matrix()
    jacobian = jacobian_determinant(affine_field(geometry, turn, geometry.centre))
    np.testing.assert_allclose(jacobian, 1, atol=1e-5)


def test_a_reflection_folds_everywhere() -> None:
    geometry = random_geometry(np.random.default_rng(1), (6, 7, 5))
    jacobian = jacobian_determinant(affine_field(geometry, np.diag([-1.0, 1.0, 1.0]), geometry.centre))
    assert folding_share(jacobian) == 1
    assert folding_share(jacobian_determinant(DisplacementField.identity(geometry))) == 0


def test_differently_stored_images_do_not_fold_for_it() -> None:
    """The moving image mirrored in memory is the same body in the world."""
    grid = Geometry.from_spacing((6, 6, 6))
    mirrored = grid.reoriented("LAS")[0]
    d = np.zeros((6, 6, 6, 3))
    d[..., 0] = 5 - 2 * np.arange(6)[:, None, None]
    jacobian = jacobian_determinant(field_from_model(d, mirrored, grid, grid))
    np.testing.assert_allclose(jacobian, 1, atol=1e-5)


def test_a_grid_of_one_slice_is_constant_across_it() -> None:
    geometry = Geometry.from_spacing((6, 6, 1), (1.0, 2.0, 5.0))
    jacobian = jacobian_determinant(affine_field(geometry, np.diag([1.5, 0.5, 9.0]), geometry.centre))
    np.testing.assert_allclose(jacobian, 0.75, atol=1e-5)


def test_sd_log_jacobian_is_learn2regs() -> None:
    """Its evaluation script: correlations with (−½, 0, ½) in voxels, a border of two left out, +3 and clipped."""
    d = smooth_displacement(np.random.default_rng(5), (16, 15, 14), 6.0, sigma=2.0)
    kernel = np.array([-0.5, 0, 0.5])
    gradient = [
        [
            correlate(d[..., c].astype(float), kernel.reshape(np.roll((3, 1, 1), axis)), mode="constant")
            for axis in range(3)
        ]
        for c in range(3)
    ]
    matrices = np.moveaxis(np.array(gradient), (0, 1), (-2, -1)) + np.eye(3)
    theirs = (np.linalg.det(matrices)[2:-2, 2:-2, 2:-2] + 3).clip(1e-9, 1e9)
    # One isotropic oblique grid for both images, where voxels and millimetres give one determinant.
    affine = np.eye(4)
    affine[:3, :3] = 1.7 * Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
    grid = Geometry((16, 15, 14), affine)
    jacobian = jacobian_determinant(field_from_model(d, grid, grid, grid))
    assert folding_share(jacobian) > 0
    assert sd_log_jacobian(jacobian) == pytest.approx(np.log(theirs).std(), rel=1e-4)


def test_sd_log_jacobian_needs_voxels_inside_its_border() -> None:
    with pytest.raises(FieldInvalidError, match="more than 4 voxels"):
        sd_log_jacobian(np.ones((9, 4, 9)))
