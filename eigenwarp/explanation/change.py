"""Has a subject changed between two scans, or do they differ only as repeated scans do?

The coefficients of repeated scans of one unchanged subject scatter with a covariance Σ. The difference Δ of two scans
then has the covariance 2 Σ, and D² = Δᵀ (2 Σ)⁻¹ Δ is large where the change exceeds that scatter in any direction. With
Σ estimated on ν degrees of freedom, (ν − K + 1) / (ν K) · D² follows F(K, ν − K + 1) (Hotelling) for Gaussian scatter;
real scatter has heavier tails and differs between subjects, which ``calibrated`` makes up for.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.stats import f, ncf

from eigenwarp.errors import OptionInvalidError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Change:
    """What two scans of a subject say.

    Args:
        distance_squared: D², no unit, after calibration.
        limit: the D² that unchanged subjects exceed with probability 1 − level.
        p_value: probability of such a D² or a larger one without any change.
        z: each coefficient's difference in standard deviations of the difference of two repeats, (K,).
    """

    distance_squared: float
    limit: float
    p_value: float
    z: FloatArray

    @property
    def exceeds(self) -> bool:
        """Whether the change is more than noise, at the level asked for."""
        return self.distance_squared > self.limit


@dataclass(frozen=True, eq=False)
class RepeatNoise:
    """How the coefficients of one scan scatter when nothing has changed.

    Args:
        covariance: Σ of one measurement, (K, K).
        degrees: ν, that it was estimated on; K or more.
        calibration: by what D² is divided; 1 for Gaussian scatter that all subjects share.

    Raises:
        OptionInvalidError: a covariance that is not one, or too few degrees of freedom for a test.
    """

    covariance: FloatArray
    degrees: int
    calibration: float = 1.0

    def __post_init__(self) -> None:
        covariance = np.asarray(self.covariance, dtype=np.float64)
        if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
            raise OptionInvalidError(f"a noise covariance is square, got {covariance.shape}")
        if not np.isfinite(covariance).all() or not np.linalg.eigvalsh(covariance).min() > 0:
            raise OptionInvalidError("the noise covariance is singular: some coefficients do not scatter on their own")
        if self.degrees < self.count:
            raise OptionInvalidError(
                f"{self.degrees} degrees of freedom do not give the scatter of {self.count} coefficients:"
                f" more repeats or fewer components are needed"
            )
        if not self.calibration > 0:
            raise OptionInvalidError(f"the calibration must be positive, got {self.calibration:g}")
        object.__setattr__(self, "covariance", covariance)

    @classmethod
    def of_repeats(cls, repeats: npt.ArrayLike) -> Self:
        """Pooled over subjects, each about its own mean.

        Args:
            repeats: coefficients of R ≥ 2 repeated scans of each of S subjects, (S, R, K).

        Raises:
            OptionInvalidError: another shape, or S (R − 1) < K.
        """
        values = np.asarray(repeats, dtype=np.float64)
        if values.ndim != 3 or values.shape[1] < 2:
            raise OptionInvalidError(f"repeats of shape {values.shape}: expected (subjects, 2 or more, coefficients)")
        within = (values - values.mean(axis=1, keepdims=True)).reshape(-1, values.shape[2])
        degrees = values.shape[0] * (values.shape[1] - 1)
        return cls(within.T @ within / degrees, degrees)

    @classmethod
    def calibrated(cls, repeats: npt.ArrayLike, level: float = 0.95) -> Self:
        """As ``of_repeats``, and so stretched that a share ``level`` of unchanged pairs stays below the limit.

        Each subject's pairs are judged by the scatter of the others, so that none helps to judge itself.

        Args:
            repeats: (S, R, K), of three subjects or more.
            level: at which the test is to hold.
        """
        values = np.asarray(repeats, dtype=np.float64)
        plain = cls.of_repeats(values)
        if len(values) < 3:
            raise OptionInvalidError(f"calibrating takes repeats of three subjects or more, got {len(values)}")
        first, second = np.triu_indices(values.shape[1], 1)
        ratios = []
        for index, own in enumerate(values):
            others = cls.of_repeats(np.delete(values, index, axis=0))
            ratios.append(others._raw(own[first] - own[second]) / others.limit(level))
        return replace(plain, calibration=float(np.quantile(np.concatenate(ratios), level)))

    @property
    def count(self) -> int:
        """K."""
        return len(self.covariance)

    def limit(self, level: float = 0.95) -> float:
        """The calibrated D² that a share ``level`` of unchanged pairs stays below.

        Raises:
            OptionInvalidError: a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise OptionInvalidError(f"a level lies between 0 and 1, got {level}")
        return float(f.ppf(level, self.count, self._second)) / self._to_f

    def test(self, difference: npt.ArrayLike, level: float = 0.95) -> Change:
        """Whether the difference of two scans' coefficients, (K,), exceeds noise.

        Raises:
            OptionInvalidError: a difference of another length.
        """
        delta = np.asarray(difference, dtype=np.float64)
        if delta.shape != (self.count,):
            raise OptionInvalidError(f"a difference of shape {delta.shape} for {self.count} coefficients")
        distance = float(self._raw(delta[None])[0]) / self.calibration
        return Change(
            distance_squared=distance,
            limit=self.limit(level),
            p_value=float(f.sf(distance * self._to_f, self.count, self._second)),
            z=delta / np.sqrt(2 * self.calibration * np.diag(self.covariance)),
        )

    def power(self, distance_squared: float, level: float = 0.95) -> float:
        """The chance to find a true change of calibrated length D², for Gaussian scatter."""
        at = self.limit(level) * self._to_f
        if distance_squared == 0:
            return 1 - level
        return float(ncf.sf(at, self.count, self._second, distance_squared))

    @property
    def _second(self) -> int:
        return self.degrees - self.count + 1

    @property
    def _to_f(self) -> float:
        return self._second / (self.degrees * self.count)

    def _raw(self, differences: FloatArray) -> FloatArray:
        """D² of differences (N, K) before calibration."""
        solved = np.linalg.solve(2 * self.covariance, differences.T).T
        return np.asarray((differences * solved).sum(axis=1))
