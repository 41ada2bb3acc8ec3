import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from eigenwarp.field.interpolation import LinearInterpolator, affine_coordinates, inside, read_nearest, slabs


@pytest.mark.parametrize("shape", [(7, 8, 9), (1, 8, 9), (7, 1, 1), (1, 1, 1), (40, 41, 42)])
def test_linear_reading_equals_scipys_with_nearest_borders(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((*shape, 3)).astype(np.float32)
    # More points than one block holds.
    points = rng.uniform(-3, 1, (3, 20000)) + rng.uniform(0, 1, (3, 20000)) * (np.array(shape)[:, None] + 4)
    expected = [map_coordinates(values[..., c], points, order=1, mode="nearest") for c in range(3)]
    np.testing.assert_allclose(LinearInterpolator(values).at(points), expected, atol=2e-6)


def test_linear_reading_at_voxels_is_exact() -> None:
    values = np.random.default_rng(1).standard_normal((5, 6, 7)).astype(np.float32)
    at = LinearInterpolator(values).at(affine_coordinates(np.eye(4), (5, 6, 7)))
    np.testing.assert_array_equal(at.reshape(5, 6, 7), values)


def test_a_grid_ends_half_a_voxel_beyond_its_outermost_centres() -> None:
    points = np.array([[-0.51, -0.5, 0, 2.49, 2.5], [0] * 5, [0] * 5])
    np.testing.assert_array_equal(inside(points, (3, 1, 1)), [False, True, True, True, False])


def test_nearest_reading_takes_the_higher_index_half_way() -> None:
    values = np.arange(4, dtype=np.uint16).reshape(4, 1, 1)
    points = np.array([[-9, 0.49, 0.5, 1.5, 2.51, 99], [0] * 6, [0] * 6])
    np.testing.assert_array_equal(read_nearest(values, points), [0, 0, 1, 2, 3, 3])


@pytest.mark.parametrize("shape", [(3, 4, 5), (300, 300, 1), (5, 300, 300)])
def test_slabs_cover_every_plane_once(shape: tuple[int, int, int]) -> None:
    matrix = np.random.default_rng(2).standard_normal((4, 4))
    parts = [affine_coordinates(matrix, shape, planes) for planes in slabs(shape)]
    whole = affine_coordinates(matrix, shape)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    corner = np.array(shape) - 1
    np.testing.assert_allclose(whole[:, -1], matrix[:3, :3] @ corner + matrix[:3, 3])
