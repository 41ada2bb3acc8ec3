"""One start for all: the initial alignment that our model begins from, handed to the other programs as geometry."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Geometry, Volume


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the moving volume is put before another program sees the pair.

    Args:
        to_moving: 4×4, world RAS mm: the fixed side's points to the moving side's, under the initial alignment.
    """

    to_moving: npt.NDArray[np.float64]

    @classmethod
    def of(cls, preprocessing: Preprocessing, moving: Volume, fixed: Volume) -> "Placement":
        """The alignment of the model's grids laid over both volumes."""
        moving_grid, fixed_grid = preprocessing.grids_for_pair(moving, fixed)
        return cls(moving_grid.affine @ fixed_grid.inverse_affine)

    def place(self, moving: Volume) -> Volume:
        """The moving volume's voxels on a grid that the identity aligns with the fixed volume."""
        return Volume(moving.data, Geometry(moving.shape, np.linalg.inv(self.to_moving) @ moving.geometry.affine))

    def restore(self, found: DisplacementField, fixed: Geometry) -> DisplacementField:
        """The whole transform, of a field that leads to the placed moving volume.

        Raises:
            FieldInvalidError: the field lies on another grid than the fixed volume.
        """
        if not found.geometry.matches(fixed):
            raise FieldInvalidError(
                f"a field on a grid of shape {found.geometry.shape}, expected that of {fixed.shape}"
            )
        points = fixed.to_world(fixed.voxel_grid())
        moved = (points + found.displacement) @ self.to_moving[:3, :3].T + self.to_moving[:3, 3]
        return DisplacementField((moved - points).astype(np.float32), fixed)
