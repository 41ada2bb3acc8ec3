"""How much of a whole cohort's deformation is rigid, affine, and neither."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.field.motion import Motion

KINDS = ("translation", "rotation", "scaling", "shear", "rest")


@dataclass(frozen=True, eq=False)
class MotionEnergy:
    """The energies (mean squared displacements, mm²) of each subject's field, by kind of motion.

    Args:
        energies: (N, 5), columns as ``KINDS``.
    """

    energies: npt.NDArray[np.float64]

    @classmethod
    def of(cls, motions: Sequence[Motion]) -> "MotionEnergy":
        """Of subjects' fields that were decomposed one by one."""
        rows = [[m.translation_share, m.rotation_share, m.scaling_share, m.shear_share, m.rest_share] for m in motions]
        return cls(np.array(rows) * np.array([m.rms_mm for m in motions])[:, None] ** 2)

    def shares(self) -> npt.NDArray[np.float64]:
        """Each kind's share of the cohort's whole energy, (5,): a subject that is far from the mean counts for more."""
        total = self.energies.sum()
        return self.energies.sum(axis=0) / total if total else np.zeros(len(KINDS))


@dataclass(frozen=True)
class Pooled:
    """The statistic of an interval over subjects: the energy of the kinds in ``columns`` by that of all."""

    columns: slice

    def __call__(self, energies: npt.NDArray[np.float64]) -> float:
        total = float(energies.sum())
        return float(energies[:, self.columns].sum()) / total if total else 0.0
