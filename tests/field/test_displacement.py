import numpy as np
import pytest

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.volume import Geometry

GRID = Geometry.from_spacing((4, 5, 6), (1.0, 2.0, 3.0))


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 2), (6, 5, 4, 3), (3, 4, 5, 6), (4, 5, 6, 1, 3)])
def test_other_shapes_than_the_grids_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FieldInvalidError, match="expected \\(4, 5, 6, 3\\)"):
        DisplacementField(np.zeros(shape, np.float32), GRID)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_components_that_are_not_finite_are_counted_and_refused(value: float) -> None:
    u = np.zeros((4, 5, 6, 3))
    u[1, 2, 3, 0] = value
    with np.errstate(over="ignore"), pytest.raises(FieldInvalidError, match="1 of 360"):
        DisplacementField(u, GRID)


def test_a_fixed_voxel_lands_where_its_displacement_says() -> None:
    u = np.zeros((4, 5, 6, 3))
    u[1, 2, 3] = (2.0, -4.0, 1.5)
    moving = Geometry((9, 9, 9), np.diag([-2.0, 2.0, 0.5, 1.0]))
    landed = DisplacementField(u, GRID).voxels_on(moving).reshape(3, 4, 5, 6)[:, 1, 2, 3]
    np.testing.assert_allclose(
        landed, moving.to_voxel(GRID.to_world([1, 2, 3]) + np.array([2.0, -4.0, 1.5])), atol=1e-12
    )
