"""How the moving image's anatomy moves, said on its own side: the inverse of a registration's pull-back."""

import numpy as np
import numpy.typing as npt

from eigenwarp.field.displacement import DisplacementField
from eigenwarp.volume import Geometry


def tissue_motion(
    inverse: DisplacementField, alignment: npt.NDArray[np.floating], first: tuple[slice, slice, slice]
) -> DisplacementField:
    """What happens to the moving anatomy beyond the initial alignment.

    The alignment α takes fixed points to moving points before any deformation. Tissue at the moving point y lies, once
    aligned, at α⁻¹(y), and the registration brings it to x = y + v(y), v being the inverse field. So the motion

        α⁻¹(y) ↦ x,  displacement v(y) + y − α⁻¹(y),

    holds the deformation alone, in the fixed image's world, whatever the two scanners' coordinates are.

    Args:
        inverse: v, moving → fixed, on the moving grid, the whole transform.
        alignment: α as a 4 × 4 matrix, fixed world → moving world.
        first: which of the moving voxels: start, stop and step along each axis, starts and steps given.

    Returns:
        The motion at the chosen voxels, on their aligned grid.
    """
    back = np.linalg.inv(np.asarray(alignment, dtype=np.float64))
    affine = inverse.geometry.affine.copy()
    affine[:3, 3] = inverse.geometry.to_world([part.start for part in first])
    affine[:3, :3] *= [part.step for part in first]
    chosen = inverse.displacement[first]
    grid = Geometry((chosen.shape[0], chosen.shape[1], chosen.shape[2]), affine)
    # y − α⁻¹(y) as one affine of the voxel: subtracting large world coordinates would cost digits.
    offset = grid.affine - back @ grid.affine
    displacement = chosen + (grid.voxel_grid() @ offset[:3, :3].T + offset[:3, 3])
    return DisplacementField(displacement.astype(np.float32), Geometry(grid.shape, back @ affine))
