import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from eigenwarp.errors import OptionInvalidError
from eigenwarp.field import (
    DisplacementField,
    compose,
    field_from_model,
    folding_share,
    inverse_consistency,
    invert,
    jacobian_determinant,
    solve_inverse,
)
from eigenwarp.volume import Geometry
from tests.field.affine_fields import affine_field
from tests.field.pairs import model_grid, random_geometry, random_pair, smooth_displacement

few = settings(max_examples=10, deadline=None)


@few
@given(st.integers(0, 2**32 - 1))
def test_a_field_followed_by_its_inverse_is_the_identity(seed: int) -> None:
    """Between two oblique scans of unlike orientation: the alignment is inverted with the deformation."""
    rng = np.random.default_rng(seed)
    fixed, moving = random_geometry(rng, (20, 18, 19)), random_geometry(rng, (18, 22, 17))
    shape = (20, 20, 20)
    d = smooth_displacement(rng, shape, 1.5)
    field = field_from_model(d, model_grid(moving, shape, rng), model_grid(fixed, shape, rng), fixed)
    result = solve_inverse(field, moving)
    assert result.open_share == 0
    assert result.max_residual_mm <= 1e-3
    back = compose(result.field, field)
    inside = np.linalg.norm(back.displacement, axis=-1)
    # On the inverse's own voxels the only error left is the tolerance, and float32 at some 100 mm.
    assert inside.max() < 2e-3
    assert inverse_consistency(field, result.field).mean_mm < 0.1


@pytest.mark.parametrize("degrees", [30, 90, 170])
def test_rotations_that_no_contraction_reaches_are_inverted(degrees: float) -> None:
    grid = Geometry.from_spacing((30, 30, 30), (2.0, 2.0, 2.0))
    turn = Rotation.from_euler("xyz", [degrees, 10, -20], degrees=True).as_matrix()
    target = Geometry.from_spacing((12, 12, 12), (1.5, 2.5, 2.0))
    result = solve_inverse(affine_field(grid, turn, (0, 0, 0)), target)
    assert result.open_share == 0
    np.testing.assert_allclose(
        result.field.displacement, affine_field(target, turn.T, (0, 0, 0)).displacement, atol=2e-3
    )


def test_a_translation_is_inverted_at_once() -> None:
    grid = Geometry.from_spacing((6, 7, 8))
    field = DisplacementField(np.broadcast_to(np.float32([1, -2, 3]), (*grid.shape, 3)), grid)
    result = solve_inverse(field, grid)
    np.testing.assert_allclose(result.field.displacement, -field.displacement, atol=1e-5)
    assert result.iterations == 0


def test_a_good_first_guess_saves_iterations() -> None:
    pair = random_pair(1)
    cold = solve_inverse(pair.field, pair.moving.geometry)
    warm = solve_inverse(pair.field, pair.moving.geometry, initial=cold.field)
    assert warm.iterations < cold.iterations
    assert warm.max_residual_mm <= 1e-3


def test_an_inversion_that_was_cut_short_reports_its_residual() -> None:
    pair = random_pair(3)
    result = solve_inverse(pair.field, pair.moving.geometry, max_iterations=1)
    assert 0.1 < result.open_share < 1
    distance = np.linalg.norm(compose(result.field, pair.field).displacement, axis=-1)
    assert result.mean_residual_mm == pytest.approx(distance.mean(), rel=1e-3)
    assert result.max_residual_mm == pytest.approx(distance.max(), rel=1e-3)
    assert result.open_share == pytest.approx(np.mean(distance > 1e-3), abs=1e-3)


def test_a_folded_field_still_gives_a_finite_inverse() -> None:
    rng = np.random.default_rng(0)
    grid = Geometry.from_spacing((16, 16, 16))
    field = DisplacementField(smooth_displacement(rng, grid.shape, 8.0, sigma=1.5), grid)
    assert folding_share(jacobian_determinant(field)) > 0.1
    result = solve_inverse(field, grid)
    assert result.open_share > 0
    assert np.isfinite(result.field.displacement).all()


def test_invert_returns_the_field_of_solve_inverse() -> None:
    pair = random_pair(2)
    np.testing.assert_array_equal(
        invert(pair.field, pair.moving.geometry).displacement,
        solve_inverse(pair.field, pair.moving.geometry).field.displacement,
    )


@pytest.mark.parametrize("options", [{"tolerance_mm": 0.0}, {"tolerance_mm": float("nan")}, {"max_iterations": 0}])
def test_options_that_mean_nothing_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(OptionInvalidError):
        invert(random_pair(0).field, random_pair(0).fixed, **options)
