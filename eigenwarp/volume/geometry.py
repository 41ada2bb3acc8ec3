"""Where a grid of voxels lies in the world."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from nibabel.orientations import aff2axcodes, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from eigenwarp.errors import EmptyVolumeError, GeometryInvalidError

FloatArray = npt.NDArray[np.floating]
Shape = tuple[int, int, int]

# Spacings outside this range are unit mistakes (metres, micrometres), not medical images.
SPACING_LIMITS_MM = (1e-3, 1e3)
# Positions further out than 100 m are unit mistakes too; up to there NIfTI-1's float32 keeps 0.01 mm.
POSITION_LIMIT_MM = 1e5
# Largest cosine between two axes that still counts as rounding: 0.1 mm over 100 mm. NIfTI's qform and ITK hold right
# angles only.
SHEAR_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Geometry:
    """The grid of a volume: its shape and the affine to world RAS millimetres.

    Args:
        shape: voxels along the array's axes, (X, Y, Z).
        affine: 4×4, homogeneous voxel index → world RAS mm. Kept as float64 and read-only.

    Raises:
        EmptyVolumeError: an axis without voxels.
        GeometryInvalidError: the affine is not 4×4, not finite, singular, or a spacing is out of range.
    """

    shape: Shape
    affine: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3:
            raise GeometryInvalidError(f"a grid has three axes, got shape {shape}")
        if min(shape) < 1:
            raise EmptyVolumeError(f"a grid needs at least one voxel along each axis, got shape {shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4):
            raise GeometryInvalidError(f"the affine must be 4×4, got {affine.shape}")
        if not np.isfinite(affine).all():
            raise GeometryInvalidError(f"the affine is not finite: {affine.tolist()}")
        if not np.allclose(affine[3], (0, 0, 0, 1)):
            raise GeometryInvalidError(f"the affine's last row must be 0 0 0 1, got {affine[3].tolist()}")
        if np.abs(affine[:3]).max() > POSITION_LIMIT_MM:
            raise GeometryInvalidError(f"the affine leads beyond {POSITION_LIMIT_MM:g} mm: {affine.tolist()}")
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        low, high = SPACING_LIMITS_MM
        # A part in a million of room: a spacing on the limit must survive being stored as float32.
        if spacing.min() < low * (1 - 1e-6) or spacing.max() > high * (1 + 1e-6):
            raise GeometryInvalidError(f"spacing {spacing.tolist()} mm is outside {low} to {high} mm")
        # The determinant of the unit directions: 1 for orthogonal axes, 0 where two of them coincide.
        volume_ratio = abs(float(np.linalg.det(affine[:3, :3] / spacing)))
        if volume_ratio < 1e-3:
            raise GeometryInvalidError(f"the affine is singular: its axes span {volume_ratio:.2g} of a unit volume")
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def from_spacing(cls, shape: Shape, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Self:
        """An RAS grid whose centre is the world's origin."""
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = -(np.array(shape) - 1) / 2 * np.array(spacing)
        return cls(shape, affine)

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxels along each array axis, mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @cached_property
    def inverse_affine(self) -> npt.NDArray[np.float64]:
        """4×4, world RAS mm → voxel index."""
        inverse: npt.NDArray[np.float64] = np.linalg.inv(self.affine).astype(np.float64, copy=False)
        inverse.setflags(write=False)
        return inverse

    @property
    def orientation(self) -> str:
        """The axes' nearest anatomical directions, such as ``"RAS"`` or ``"LSP"`` (where each axis points to)."""
        return "".join(str(code) for code in aff2axcodes(self.affine))

    @property
    def has_right_angles(self) -> bool:
        """Whether no two axes are further from a right angle than ``SHEAR_TOLERANCE``."""
        return self._shear <= SHEAR_TOLERANCE

    def require_right_angles(self) -> Self:
        """This grid itself, refused where its axes are sheared.

        Raises:
            GeometryInvalidError: two axes are further from a right angle than ``SHEAR_TOLERANCE``.
        """
        if not self.has_right_angles:
            degrees = float(np.degrees(np.arcsin(min(self._shear, 1.0))))
            raise GeometryInvalidError(f"the affine is sheared: two axes are {degrees:.2f} degrees off a right angle")
        return self

    @property
    def _shear(self) -> float:
        directions = self.affine[:3, :3] / self.spacing
        return float(np.abs(np.triu(directions.T @ directions, 1)).max())

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel, mm³."""
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    @property
    def centre(self) -> npt.NDArray[np.float64]:
        """World RAS mm of the grid's centre, shape (3,)."""
        return self.to_world((np.array(self.shape) - 1) / 2)

    def to_world(self, voxels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Voxel indices (…, 3) → world RAS mm (…, 3)."""
        points = np.asarray(voxels, dtype=np.float64)
        return points @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_voxel(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """World RAS mm (…, 3) → voxel indices (…, 3), not rounded."""
        world = np.asarray(points, dtype=np.float64)
        return world @ self.inverse_affine[:3, :3].T + self.inverse_affine[:3, 3]

    def voxel_grid(self) -> npt.NDArray[np.float64]:
        """The index of every voxel, shape (X, Y, Z, 3)."""
        return np.stack(np.meshgrid(*(np.arange(n, dtype=np.float64) for n in self.shape), indexing="ij"), axis=-1)

    def cropped(self, offset: tuple[int, int, int], shape: Shape) -> "Geometry":
        """The grid of a crop (or, with negative offsets, a pad) that starts at voxel ``offset``: A·T(offset)."""
        affine = self.affine.copy()
        affine[:3, 3] = self.to_world(offset)
        return Geometry(shape, affine)

    def reoriented(self, orientation: str = "RAS") -> tuple["Geometry", npt.NDArray[np.float64]]:
        """The same voxels with axes permuted and flipped towards ``orientation``.

        Returns:
            The new grid, and nibabel's orientation transform (3, 2) that brings the array along
            (``nibabel.orientations.apply_orientation``).
        """
        transform = ornt_transform(io_orientation(self.affine), axcodes2ornt(tuple(orientation)))
        affine = self.affine @ inv_ornt_aff(transform, self.shape)
        shape = [0, 0, 0]
        for source, (target, _) in enumerate(transform):
            shape[int(target)] = self.shape[source]
        return Geometry((shape[0], shape[1], shape[2]), affine), transform

    def matches(self, other: "Geometry", tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have one shape and no corner is further apart than the tolerance."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*((0, n - 1) for n in self.shape), indexing="ij")).reshape(3, -1).T
        return bool(np.abs(self.to_world(corners) - other.to_world(corners)).max() <= tolerance_mm)
