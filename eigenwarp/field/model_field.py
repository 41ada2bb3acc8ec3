"""From the network's voxels to the world."""

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field.displacement import DisplacementField
from eigenwarp.field.interpolation import LinearInterpolator, affine_coordinates, slabs
from eigenwarp.volume import Geometry


def field_from_model(
    model_displacement: npt.NDArray[np.floating], moving_grid: Geometry, fixed_grid: Geometry, fixed: Geometry
) -> DisplacementField:
    """The whole transform of a registration on the fixed image's own grid.

    The network sees both images on grids of one shape, G_F laid over the fixed image and G_M over the moving one. Each
    fixed voxel i goes p = A_F i → g = G_F⁻¹ p → g' = g + d(g) → p' = G_M g', and u(i) = p' − p.

    Args:
        model_displacement: d, (X, Y, Z, 3) in voxels of the model's grids, array order: the model's voxel g of the
            fixed image corresponds to g + d(g) of the moving one. Read linearly between voxels; outside the model's
            grid the nearest displacement holds.
        moving_grid: G_M, where the model's grid lies in the moving image's world.
        fixed_grid: G_F, where it lies in the fixed image's world.
        fixed: A_F, the grid of the result.

    Raises:
        FieldInvalidError: the three model arrays differ in shape, or the displacement is not finite.
    """
    expected = (*fixed_grid.shape, 3)
    if moving_grid.shape != fixed_grid.shape or model_displacement.shape != expected:
        raise FieldInvalidError(
            f"the model's displacement has shape {model_displacement.shape}, its grids {fixed_grid.shape} (fixed)"
            f" and {moving_grid.shape} (moving): expected {expected} on grids of one shape"
        )
    if not np.isfinite(model_displacement).all():
        raise FieldInvalidError("the model's displacement holds NaN or infinite components")
    to_grid = fixed_grid.inverse_affine @ fixed.affine
    # p' − p without d, as one affine: subtracting large world coordinates in the end would cost digits.
    alignment = moving_grid.affine @ to_grid - fixed.affine
    linear = moving_grid.affine[:3, :3].astype(np.float32)
    model = LinearInterpolator(model_displacement)
    displacement = np.empty((*fixed.shape, 3), dtype=np.float32)
    for planes in slabs(fixed.shape):
        moved = affine_coordinates(alignment, fixed.shape, planes)
        moved += linear @ model.at(affine_coordinates(to_grid, fixed.shape, planes))
        displacement[planes] = moved.T.reshape(-1, *fixed.shape[1:], 3)
    return DisplacementField(displacement, fixed)
