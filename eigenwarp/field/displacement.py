"""The displacement field: the one convention that everything inside Eigenwarp keeps.

A field is a pull-back in the world. On each voxel i of the *fixed* grid it holds

    u(i) = x_moving − x_fixed,  x_fixed = A_F · i,

in RAS millimetres, and carries the whole transform: initial alignment, resampling to the model's grid and deformation.
The warped image is moving(A_M⁻¹ (A_F i + u(i))).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field.interpolation import affine_coordinates
from eigenwarp.volume import Geometry


@dataclass(frozen=True, eq=False)
class DisplacementField:
    """A transform of fixed points to moving points.

    Args:
        displacement: (X, Y, Z, 3), world RAS mm, u = x_moving − x_fixed; kept as float32.
        geometry: the fixed grid, of shape (X, Y, Z).

    Raises:
        FieldInvalidError: the array is not of the grid's shape with three components, or not finite.
    """

    displacement: npt.NDArray[np.float32]
    geometry: Geometry

    def __post_init__(self) -> None:
        displacement = np.ascontiguousarray(self.displacement, dtype=np.float32)
        if displacement.shape != (*self.geometry.shape, 3):
            raise FieldInvalidError(
                f"displacements of shape {displacement.shape} on a grid of shape {self.geometry.shape}:"
                f" expected {(*self.geometry.shape, 3)}"
            )
        bad = displacement.size - int(np.isfinite(displacement).sum())
        if bad:
            raise FieldInvalidError(f"{bad} of {displacement.size} displacement components are NaN or infinite")
        object.__setattr__(self, "displacement", displacement)

    @classmethod
    def identity(cls, geometry: Geometry) -> "DisplacementField":
        """The field that moves nothing."""
        return cls(np.zeros((*geometry.shape, 3), dtype=np.float32), geometry)

    def components(self, planes: slice = slice(None)) -> npt.NDArray[np.float32]:
        """The displacements of some x-planes, one row per world axis: (3, N), mm, voxels in C order."""
        return self.displacement[planes].reshape(-1, 3).T

    def voxels_on(self, target: Geometry, planes: slice = slice(None)) -> npt.NDArray[np.float64]:
        """Where the field takes the fixed voxels, in another grid's voxel coordinates: A_T⁻¹ (A_F i + u(i)).

        Args:
            target: the grid to express the points on, such as the moving image's.
            planes: which x-planes of the fixed grid.

        Returns:
            (3, N), voxels in C order.
        """
        coordinates = affine_coordinates(target.inverse_affine @ self.geometry.affine, self.geometry.shape, planes)
        coordinates += target.inverse_affine[:3, :3] @ self.components(planes)
        return coordinates
