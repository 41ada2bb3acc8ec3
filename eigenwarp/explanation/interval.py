"""Confidence intervals by drawing subjects again."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from eigenwarp.errors import OptionInvalidError

RESAMPLES = 2000

Statistic = Callable[[npt.NDArray[np.float64]], float]


@dataclass(frozen=True)
class Interval:
    """An estimate between its confidence limits.

    Args:
        estimate: over the subjects that there are.
        low, high: percentiles over the subjects drawn again.
    """

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.3g} ({self.low:.3g} to {self.high:.3g})"


def bootstrap_interval(
    values: npt.ArrayLike,
    random: np.random.Generator,
    statistic: Statistic | None = None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The percentile bootstrap over subjects.

    Args:
        values: one row per subject, (N, …); rows that are not finite are left out.
        random: draws the subjects.
        statistic: of the rows; their mean by default.
        level: of confidence, between 0 and 1.

    Raises:
        OptionInvalidError: no finite row, or a level out of range.
    """
    if not 0 < level < 1:
        raise OptionInvalidError(f"a confidence level lies between 0 and 1, got {level}")
    rows = np.asarray(values, dtype=np.float64)
    rows = rows[np.isfinite(rows).reshape(len(rows), -1).all(axis=1)]
    if not len(rows):
        raise OptionInvalidError("no subject has a finite value, so that there is no interval")
    drawn = random.integers(0, len(rows), size=(resamples, len(rows)))
    if statistic is None:
        estimate, found = float(rows.mean()), rows[drawn].reshape(resamples, -1).mean(axis=1)
    else:
        estimate, found = statistic(rows), np.array([statistic(rows[index]) for index in drawn])
    low, high = np.quantile(found, ((1 - level) / 2, (1 + level) / 2))
    return Interval(estimate, float(low), float(high))


def proportion_interval(hits: int, trials: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion; a bootstrap of 0 out of N would say "exactly 0".

    Raises:
        OptionInvalidError: no trial, or more hits than trials.
    """
    if not 0 <= hits <= trials or trials < 1:
        raise OptionInvalidError(f"{hits} of {trials} is no proportion")
    z = float(ndtri((1 + level) / 2))
    share = hits / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return Interval(share, float(max(centre - half, 0)), float(min(centre + half, 1)))
