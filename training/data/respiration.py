"""Breathing-like deformations of a chest: the diaphragm goes down or up, the chest wall outwards or inwards."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import OptionInvalidError

FloatArray = npt.NDArray[np.float64]

# Below the lungs the abdomen follows the diaphragm, less and less over this length, mm.
_ABDOMEN_MM = 150.0
# 1.5 times the mean slope is the steepest of a smooth step.
_STEEPEST = 1.5


@dataclass(frozen=True)
class Respiration:
    """A pull-back field of a chest, world RAS mm: the new image at x shows the old one at x + u(x).

    With h(z) a smooth step from 0 at the lungs' apex to 1 at their base, which falls to 0 again in the abdomen,

        u_z = −diaphragm · h(z),    (u_x, u_y) = −(chest_x · (x − x_c), chest_y · (y − y_c)) · h(z).

    Args:
        base, apex: lowest and highest z of the lungs.
        centre: (x, y) of the lungs' middle.
        diaphragm: how far tissue at the base goes up, mm; negative is down, as in inspiration.
        chest: relative widening of the chest from side to side and from back to front, at the base.

    Raises:
        OptionInvalidError: lungs of no height, or a motion so strong that it would fold.
    """

    base: float
    apex: float
    centre: tuple[float, float]
    diaphragm: float
    chest: tuple[float, float]

    def __post_init__(self) -> None:
        height = self.apex - self.base
        if not height > 0:
            raise OptionInvalidError(f"the lungs' apex {self.apex:g} must lie above their base {self.base:g}")
        steepness = _STEEPEST * abs(self.diaphragm) / min(height, _ABDOMEN_MM)
        if not max(steepness, *map(abs, self.chest)) < 1:
            raise OptionInvalidError(
                f"a diaphragm that moves {self.diaphragm:g} mm in lungs {height:.0f} mm high and a chest that widens by"
                f" {self.chest} would fold"
            )

    @classmethod
    def random(cls, generator: np.random.Generator, lungs: FloatArray, diaphragm_mm: float, chest: float) -> Self:
        """Any phase of a breath, the chest widening as the diaphragm goes down.

        Args:
            lungs: world points of the lungs' voxels, (N, 3).
            diaphragm_mm, chest: the largest motions.
        """
        phase = generator.uniform(-1, 1)
        # Some breathe with the belly, some with the ribs; the chest widens more from back to front than sidewards.
        belly, ribs = generator.uniform(0.5, 1, size=2)
        low, high = np.percentile(lungs[:, 2], (1, 99))
        middle = (lungs[:, :2].min(axis=0) + lungs[:, :2].max(axis=0)) / 2
        return cls(
            base=float(low),
            apex=float(high),
            centre=(float(middle[0]), float(middle[1])),
            diaphragm=float(-diaphragm_mm * phase * belly),
            chest=(float(chest * phase * ribs / 2), float(chest * phase * ribs)),
        )

    def displacement(self, points: FloatArray) -> FloatArray:
        """u at world points (…, 3), mm."""
        strength = self._strength(points[..., 2])
        result = np.empty_like(points)
        for axis in (0, 1):
            result[..., axis] = -self.chest[axis] * (points[..., axis] - self.centre[axis]) * strength
        result[..., 2] = -self.diaphragm * strength
        return result

    def _strength(self, z: FloatArray) -> FloatArray:
        """h."""
        within = np.clip((self.apex - z) / (self.apex - self.base), 0, 1)
        below = np.clip((self.base - z) / _ABDOMEN_MM, 0, 1)
        return np.asarray(_smooth_step(within) * (1 - _smooth_step(below)))


def _smooth_step(t: FloatArray) -> FloatArray:
    return np.asarray(t * t * (3 - 2 * t))
