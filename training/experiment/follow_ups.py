"""Follow-ups made from one scan: a label that shrinks by a known volume, or anatomy that has turned."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.optimize import brentq
from scipy.spatial.transform import Rotation

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.field.interpolation import LinearInterpolator
from eigenwarp.volume import Geometry, Segmentation

FloatArray = npt.NDArray[np.float64]

# The label with this margin moves as one; beyond, the motion fades over the blur's width. Voxels.
_MARGIN, _BLUR = 1, 2.0
# Of the window, whose highest value is 1.
_STILL = 1e-3
# Beyond these strengths the window's edge would fold.
_WEAKEST, _STRONGEST = -0.35, 0.6


@dataclass(frozen=True, eq=False)
class LocalScaling:
    """The anatomy of one label drawn towards its centre: seen at x is what was at x + s w(x) (x − c).

    Args:
        window: w, 1 in the label and fading to 0 around it, (X, Y, Z).
        geometry: of the window.
        centre: c, of the label, world mm.
        strength: s; positive shrinks.
    """

    window: npt.NDArray[np.float32]
    geometry: Geometry
    centre: FloatArray
    strength: float

    def __call__(self, points: FloatArray) -> FloatArray:
        """World points (N, 3) → where the tissue seen there was."""
        weight = LinearInterpolator(self.window).at(self.geometry.to_voxel(points).T)[0]
        return np.asarray(points + self.strength * weight[:, None] * (points - self.centre))

    @classmethod
    def of_volume_change(cls, segmentation: Segmentation, label: int, change: float) -> "LocalScaling":
        """A label whose volume changes by a share, −0.1 for 10 % less.

        Raises:
            DataSetError: the label is not there.
            OptionInvalidError: a change out of reach without folds.
        """
        membership = (segmentation.data == label).astype(np.float32)
        if not membership.any():
            raise DataSetError(f"label {label} is not in the segmentation")
        wide = binary_dilation(membership > 0, iterations=_MARGIN)
        window = gaussian_filter(wide.astype(np.float32), _BLUR)
        geometry = segmentation.geometry
        centre = geometry.to_world(np.argwhere(membership > 0)).mean(axis=0)

        def with_strength(strength: float) -> "LocalScaling":
            return cls(window / window.max(), geometry, centre, strength)

        def miss(strength: float) -> float:
            return volume_change(with_strength(strength), membership, geometry) - change

        if not miss(_STRONGEST) < 0 < miss(_WEAKEST):
            raise OptionInvalidError(f"a volume change of {100 * change:g} % is out of reach without folds")
        return with_strength(float(brentq(miss, _WEAKEST, _STRONGEST, xtol=1e-3)))


@dataclass(frozen=True, eq=False)
class Turned:
    """The anatomy turned about an axis through a point.

    Args:
        degrees: right-handed.
        axis: world RAS, any length but 0.
        centre: world mm.
    """

    degrees: float
    axis: tuple[float, float, float]
    centre: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """World points (N, 3) → where the tissue seen there was."""
        unit = np.asarray(self.axis) / np.linalg.norm(self.axis)
        back = Rotation.from_rotvec(-np.radians(self.degrees) * unit)
        return np.asarray(back.apply(points - self.centre) + self.centre)


def volume_change(pull_back: LocalScaling, membership: npt.NDArray[np.float32], geometry: Geometry) -> float:
    """By which share a label's volume differs once its anatomy has moved, on the label's own grid.

    Args:
        membership: 0 to 1, (X, Y, Z).
    """
    # Only where something moves can the label arrive or leave.
    moving = np.argwhere(pull_back.window > _STILL)
    after = LinearInterpolator(membership).at(geometry.to_voxel(pull_back(geometry.to_world(moving))).T)[0]
    still = membership[pull_back.window <= _STILL].sum(dtype=np.float64)
    return float((after.sum(dtype=np.float64) + still) / membership.sum(dtype=np.float64)) - 1
