"""Local change of volume under a field, and the measures of folding drawn from it."""

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field.displacement import DisplacementField

_BORDER = 2
# Learn2Reg adds 3 before the logarithm, so that moderate folds do not dominate it.
_OFFSET, _LOW, _HIGH = 3.0, 1e-9, 1e9


def jacobian_determinant(field: DisplacementField) -> npt.NDArray[np.float32]:
    """det(∂x_moving / ∂x_fixed) at each fixed voxel, derivatives in physical space.

    Above 1 the fixed side's volume element corresponds to a larger one on the moving side; at or below 0 the field
    folds. Central differences, one-sided on the outermost planes; across an axis of one voxel the field is constant.

    Returns:
        (X, Y, Z), without unit.
    """
    # det(I + ∂u/∂x) = det(I + ∂v/∂i) with v = A⁻¹u, the displacement in fixed voxels.
    to_voxels = field.geometry.inverse_affine[:3, :3].astype(np.float32)
    rows = [
        [_derivative(component, axis) for axis in range(3)]
        for component in (to_voxels @ field.components()).reshape(3, *field.geometry.shape)
    ]
    for axis in range(3):
        rows[axis][axis] += 1
    (a, b, c), (d, e, f), (g, h, i) = rows
    determinant: npt.NDArray[np.float32] = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return determinant


def folding_share(jacobian: npt.NDArray[np.floating]) -> float:
    """Share of voxels whose determinant is not positive, 0 to 1."""
    return float(np.mean(jacobian <= 0))


def sd_log_jacobian(jacobian: npt.NDArray[np.floating]) -> float:
    """Learn2Reg's "SDlogJ": std(log(clip(J + 3, 1e-9, 1e9))), a border of two voxels left out.

    Learn2Reg differentiates in voxels; that is the same determinant wherever both images have grids of one spacing and
    direction.

    Args:
        jacobian: (X, Y, Z), from ``jacobian_determinant``.

    Raises:
        FieldInvalidError: fewer than five voxels along an axis, so that nothing is left.
    """
    if min(jacobian.shape) <= 2 * _BORDER:
        raise FieldInvalidError(f"SDlogJ needs more than {2 * _BORDER} voxels along each axis, got {jacobian.shape}")
    inner = jacobian[_BORDER:-_BORDER, _BORDER:-_BORDER, _BORDER:-_BORDER]
    return float(np.std(np.log(np.clip(inner.astype(np.float64) + _OFFSET, _LOW, _HIGH))))


def _derivative(values: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    if values.shape[axis] == 1:
        return np.zeros_like(values)
    derivative: npt.NDArray[np.float32] = np.gradient(values, axis=axis)
    return derivative
