import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField, compose, inverse_consistency, warp_points, warp_volume
from eigenwarp.volume import Geometry
from tests.field.affine_fields import affine_field
from tests.field.pairs import random_geometry, smooth_displacement, smooth_image

TURN = Rotation.from_euler("xyz", [8, -5, 11], degrees=True).as_matrix()
STRETCH = np.diag([1.1, 0.9, 1.05])


def test_affine_fields_compose_to_the_product_of_their_matrices() -> None:
    rng = np.random.default_rng(0)
    geometry = random_geometry(rng, (8, 9, 7))
    c = geometry.centre
    # Large enough that nothing leaves it.
    wide = Geometry.from_spacing((20, 20, 20), (5.0, 6.0, 7.0))
    affine = wide.affine.copy()
    affine[:3, 3] += c
    wide = Geometry(wide.shape, affine)
    both = compose(affine_field(geometry, STRETCH, c), affine_field(wide, TURN, c))
    np.testing.assert_allclose(both.displacement, affine_field(geometry, TURN @ STRETCH, c).displacement, atol=1e-3)


def test_points_go_through_the_first_field_first() -> None:
    grid = Geometry.from_spacing((24, 24, 24))
    rng = np.random.default_rng(1)
    first = DisplacementField(smooth_displacement(rng, grid.shape, 2.0), grid)
    second = DisplacementField(smooth_displacement(rng, grid.shape, 2.0), grid)
    voxels = rng.integers(4, 20, (30, 3))
    points = grid.to_world(voxels)
    expected = warp_points(warp_points(points, first), second)
    np.testing.assert_allclose(warp_points(points, compose(first, second)), expected, atol=1e-5)


def test_images_go_through_the_second_field_first() -> None:
    grid = Geometry.from_spacing((24, 24, 24))
    rng = np.random.default_rng(2)
    image, _ = smooth_image(rng, grid)
    first = DisplacementField(np.broadcast_to(np.float32([1, 0, 0]), (*grid.shape, 3)), grid)
    second = DisplacementField(smooth_displacement(rng, grid.shape, 2.0), grid)
    at_once = warp_volume(image, compose(first, second)).data
    in_turn = warp_volume(warp_volume(image, second), first).data
    inner = (slice(4, -4),) * 3
    np.testing.assert_allclose(at_once[inner], in_turn[inner], atol=1e-3)


def test_a_shift_that_is_not_undone_is_measured_in_millimetres() -> None:
    grid = Geometry.from_spacing((10, 8, 8), (2.0, 1.0, 1.0))
    forward = DisplacementField(np.broadcast_to(np.float32([4, 0, 0]), (*grid.shape, 3)), grid)
    backward = DisplacementField(np.broadcast_to(np.float32([-4, 3, 0]), (*grid.shape, 3)), grid)
    result = inverse_consistency(forward, backward)
    assert (result.mean_mm, result.p95_mm, result.max_mm) == pytest.approx((3, 3, 3), abs=1e-5)
    assert result.inside_share == pytest.approx(0.8)


def test_fields_that_never_meet_cannot_be_compared() -> None:
    grid = Geometry.from_spacing((5, 5, 5))
    away = DisplacementField(np.full((5, 5, 5, 3), 100, np.float32), grid)
    with pytest.raises(FieldInvalidError, match="nowhere"):
        inverse_consistency(away, DisplacementField.identity(grid))
