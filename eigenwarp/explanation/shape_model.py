"""Compactness, generalisation and specificity: how shape models are judged (Davies 2002; Styner et al. 2003).

Compactness asks how few components hold the cohort, generalisation how well unseen subjects are held, specificity
whether what the basis can draw looks like anybody.
"""

import numpy as np
import numpy.typing as npt

from eigenwarp.basis import Basis
from eigenwarp.errors import OptionInvalidError

FloatArray = npt.NDArray[np.float64]

_BLOCK = 64


def compactness(variances: npt.ArrayLike, total_variance: float) -> FloatArray:
    """C(k) = Σ_{j ≤ k} λ_j / Σ_all λ, (K,): the share of the variance that the first k components hold."""
    return np.cumsum(np.asarray(variances, dtype=np.float64)) / total_variance


def relative_residuals(basis: Basis, codes: npt.ArrayLike, counts: tuple[int, ...]) -> FloatArray:
    """Generalisation in the latent space: |E(X) − mean − Σ_{j ≤ k} a_j u_j| / |E(X) − mean| for each k.

    Args:
        codes: of subjects that the basis was not made of, (N, D).
        counts: k, each 0 to K.

    Returns:
        (N, len(counts)), 0 to 1.

    Raises:
        OptionInvalidError: a count out of range.
    """
    if not all(0 <= count <= basis.count for count in counts):
        raise OptionInvalidError(f"counts must lie between 0 and {basis.count}, got {counts}")
    centred = np.asarray(codes, dtype=np.float64) - basis.mean
    # Orthonormal directions: what is left has the energy that the coefficients do not have.
    energy = (centred**2).sum(axis=1, keepdims=True)
    held = np.cumsum(np.pad((centred @ basis.components.T) ** 2, ((0, 0), (1, 0))), axis=1)
    return np.asarray(np.sqrt(np.clip(1 - held[:, list(counts)] / energy, 0.0, 1.0)))


def draw_coefficients(variances: npt.ArrayLike, count: int, random: np.random.Generator) -> FloatArray:
    """Coefficients of invented subjects, a_j ~ N(0, λ_j), (count, K)."""
    spread = np.sqrt(np.asarray(variances, dtype=np.float64))
    return np.asarray(random.normal(size=(count, len(spread))) * spread)


def nearest_distances(candidates: npt.ArrayLike, cohort: npt.ArrayLike) -> FloatArray:
    """Specificity: each candidate's root mean square distance to the cohort's nearest member, (M,).

    Args:
        candidates: (M, D).
        cohort: (N, D), in the same unit, which is the result's.
    """
    near, far = np.asarray(candidates, dtype=np.float32), np.asarray(cohort, dtype=np.float32)
    found = []
    # By differences, not by |a|² + |b|² − 2 a·b, whose digits cancel where two are close.
    for row in near:
        best = np.inf
        for start in range(0, len(far), _BLOCK):
            best = min(best, float(((far[start : start + _BLOCK] - row) ** 2).mean(axis=1).min()))
        found.append(np.sqrt(best))
    return np.array(found)
