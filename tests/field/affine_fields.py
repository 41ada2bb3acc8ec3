"""Fields whose inverse, composition and determinant are known in closed form."""

import numpy as np
import numpy.typing as npt

from eigenwarp.field import DisplacementField
from eigenwarp.volume import Geometry


def affine_field(geometry: Geometry, matrix: npt.NDArray[np.float64], centre: npt.ArrayLike) -> DisplacementField:
    """x ↦ c + M (x − c)."""
    offset = geometry.to_world(geometry.voxel_grid()) - np.asarray(centre)
    return DisplacementField((offset @ (matrix - np.eye(3)).T).astype(np.float32), geometry)
