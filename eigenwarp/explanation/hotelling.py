"""Outlier scores of a cohort: Hotelling's T² inside the basis and the residual Q outside of it.

T² = Σ a_j² / λ_j says how unusual a subject is along the directions in which the cohort varies. Q = |E(X) − mean|² −
Σ a_j² says how much of it lies where the cohort does not go at all. A scan that failed usually shows in Q.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, f

from eigenwarp.basis import Basis
from eigenwarp.errors import OptionInvalidError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OutlierScores:
    """Of N subjects.

    Args:
        t_squared: (N,), no unit.
        q: (N,), latent units squared.
    """

    t_squared: FloatArray
    q: FloatArray

    def __post_init__(self) -> None:
        if self.t_squared.shape != self.q.shape or self.q.ndim != 1:
            raise OptionInvalidError(f"T² {self.t_squared.shape} and Q {self.q.shape} are not of the same subjects")


def outlier_scores(basis: Basis, codes: npt.ArrayLike) -> OutlierScores:
    """T² and Q of encodings (N, D)."""
    return _scores(np.asarray(codes, dtype=np.float64) - basis.mean, basis.components, basis.variances)


def t_squared_limit(subjects: int, components: int, level: float) -> float:
    """The T² that a share ``level`` of new subjects stays below, K (N² − 1) / (N (N − K)) · F(K, N − K).

    It holds for a Gaussian cohort whose K directions were fixed beforehand. Principal directions are chosen where the
    training subjects spread most, so their variances are too large for new subjects, and the limit too generous.

    Args:
        subjects: N, that the variances were measured on.
        components: K < N.
        level: such as 0.95.

    Raises:
        OptionInvalidError: no more subjects than components, or a level outside (0, 1).
    """
    if not 1 <= components < subjects or not 0 < level < 1:
        raise OptionInvalidError(f"no limit at level {level} for {components} components of {subjects} subjects")
    scale = components * (subjects**2 - 1) / (subjects * (subjects - components))
    return float(scale * f.ppf(level, components, subjects - components))


def q_limit(q: npt.ArrayLike, level: float) -> float:
    """The Q that a share ``level`` stays below, by Box's χ² with the same mean and variance: g χ²_h.

    Args:
        q: of subjects that the basis was not made of, (N,); those it was made of are held too well.
        level: such as 0.95.

    Raises:
        OptionInvalidError: fewer than two subjects, or a level outside (0, 1).
    """
    values = np.asarray(q, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not 0 < level < 1:
        raise OptionInvalidError(f"no limit at level {level} from Q of shape {values.shape}")
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    if variance == 0:
        return mean
    return float(variance / (2 * mean) * chi2.ppf(level, 2 * mean**2 / variance))


def cross_validated_scores(
    codes: npt.ArrayLike, components: int, folds: int, random: np.random.Generator
) -> OutlierScores:
    """Scores of each subject under the basis of the others' folds.

    Args:
        codes: of the training subjects, (N, D); an isometric image of them, such as their coordinates in the space that
            they span, gives the same.
        components: K.
        folds: into how many parts the cohort is divided.

    Raises:
        OptionInvalidError: folds that leave fewer than K + 1 subjects to make a basis of.
    """
    rows = np.asarray(codes, dtype=np.float64)
    if not 2 <= folds <= len(rows) or len(rows) - -(-len(rows) // folds) <= components:
        raise OptionInvalidError(f"{len(rows)} subjects in {folds} folds cannot give {components} components")
    t_squared, q = np.empty(len(rows)), np.empty(len(rows))
    for fold in np.array_split(random.permutation(len(rows)), folds):
        rest = np.delete(rows, fold, axis=0)
        mean = rest.mean(axis=0)
        _, singular, directions = np.linalg.svd(rest - mean, full_matrices=False)
        variances = singular[:components] ** 2 / (len(rest) - 1)
        scores = _scores(rows[fold] - mean, directions[:components], variances)
        t_squared[fold], q[fold] = scores.t_squared, scores.q
    return OutlierScores(t_squared, q)


def _scores(
    centred: FloatArray, components: npt.NDArray[np.floating], variances: npt.NDArray[np.floating]
) -> OutlierScores:
    coefficients = centred @ np.asarray(components, dtype=np.float64).T
    outside = (centred**2).sum(axis=1) - (coefficients**2).sum(axis=1)
    return OutlierScores((coefficients**2 / variances).sum(axis=1), np.maximum(outside, 0.0))
