"""Whether a coefficient answers in proportion to the size of what was done."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import OptionInvalidError


@dataclass(frozen=True)
class DoseResponse:
    """A coefficient's change Δa against a transformation's size d.

    Args:
        slope: of the line through the origin, Σ d Δa / Σ d²; the response's unit per unit of the dose.
        r_squared: of the straight line with an intercept of its own: how much of Δa's variance a line explains.
        departure: √(Σ (Δa − slope·d)² / Σ Δa²), 0 where the response is proportional, 1 where no slope helps.
    """

    slope: float
    r_squared: float
    departure: float


def fit_dose_response(doses: npt.ArrayLike, responses: npt.ArrayLike) -> DoseResponse:
    """Fit both lines.

    Args:
        doses: d, (N,), at least two different ones, not all 0.
        responses: Δa, (N,).

    Raises:
        OptionInvalidError: fewer than three points, arrays that do not fit, or one dose only.
    """
    d, a = np.asarray(doses, dtype=np.float64), np.asarray(responses, dtype=np.float64)
    if d.shape != a.shape or d.ndim != 1 or len(d) < 3 or np.ptp(d) == 0:
        raise OptionInvalidError(f"doses {d.shape} and responses {a.shape}: a line needs three points at two doses")
    slope = float(d @ a / (d @ d))
    energy = float(a @ a)
    left = float(((a - slope * d) ** 2).sum())
    centred = a - a.mean()
    spread = float(centred @ centred)
    covariance = float((d - d.mean()) @ centred)
    r_squared = covariance**2 / (float(((d - d.mean()) ** 2).sum()) * spread) if spread > 0 else 0.0
    return DoseResponse(slope, r_squared, float(np.sqrt(left / energy)) if energy > 0 else 0.0)
