"""What a decomposition of the encodings must offer, and one whose directions need not be at right angles."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import BundleInvalidError

FloatArray = npt.NDArray[np.floating]


class Decomposition(Protocol):
    """Directions in the space of the encodings, and coefficients along them; ``Basis`` is one.

    ``reconstruct(project(code))`` is the point of the directions' span that is nearest to the code.
    """

    @property
    def mean(self) -> FloatArray:
        """Of the encodings, (D,)."""

    @property
    def components(self) -> FloatArray:
        """Directions of unit length as rows, (K, D)."""

    @property
    def variances(self) -> FloatArray:
        """Of the training cohort's coefficients, (K,), descending."""

    def project(self, codes: FloatArray) -> FloatArray:
        """(…, D) → (…, K)."""

    def project_difference(self, difference: FloatArray) -> FloatArray:
        """Coefficients of a difference of two encodings, (…, D) → (…, K)."""

    def reconstruct(self, coefficients: FloatArray) -> FloatArray:
        """(…, K) → (…, D)."""


@dataclass(frozen=True, eq=False)
class ObliqueDirections:
    """Directions that may lean on one another, as ICA and sparse PCA give them.

    The scalar product with a leaning direction counts twice what two of them share, so coefficients are those of the
    least-squares reconstruction instead.

    Args:
        mean: of the encodings, (D,).
        components: of unit length, (K, D), linearly independent.
        variances: of the training cohort's coefficients, (K,), descending.

    Raises:
        BundleInvalidError: shapes that do not fit, rows not of unit length, or dependent ones.
    """

    mean: FloatArray
    components: FloatArray
    variances: FloatArray

    def __post_init__(self) -> None:
        count, length = self.components.shape
        if self.mean.shape != (length,) or self.variances.shape != (count,):
            raise BundleInvalidError(
                f"directions {(count, length)} with mean {self.mean.shape} and variances {self.variances.shape}"
            )
        norms = np.linalg.norm(self.components, axis=1)
        if not np.abs(norms - 1).max() < 1e-3:
            raise BundleInvalidError(f"directions must have length 1, got {norms.min():.3g} to {norms.max():.3g}")
        if np.linalg.cond(self._gram) > 1e8:
            raise BundleInvalidError(f"{count} directions that depend on one another have no coefficients")

    @classmethod
    def fit(cls, directions: npt.ArrayLike, mean: FloatArray, codes: FloatArray) -> "ObliqueDirections":
        """Scale directions (K, D) to unit length and order them by the variance of the cohort's coefficients (N, D).

        Raises:
            BundleInvalidError: as the class.
        """
        rows = np.asarray(directions, dtype=np.float64)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
        unordered = cls(mean, rows, np.ones(len(rows)))
        variances = unordered.project(codes).var(axis=0, ddof=1)
        order = np.argsort(-variances)
        return cls(mean, rows[order], variances[order])

    @cached_property
    def _gram(self) -> FloatArray:
        rows = self.components.astype(np.float64)
        return np.asarray(rows @ rows.T)

    def project(self, codes: FloatArray) -> FloatArray:
        """The coefficients whose reconstruction is nearest to the code, (…, D) → (…, K)."""
        return self.project_difference(codes - self.mean)

    def project_difference(self, difference: FloatArray) -> FloatArray:
        """The same of a difference of two encodings, where the mean cancels."""
        products = np.asarray(difference, dtype=np.float64) @ self.components.T
        return np.asarray(np.linalg.solve(self._gram, products[..., None])[..., 0])

    def reconstruct(self, coefficients: FloatArray) -> FloatArray:
        """mean + Σ a_j d_j, (…, K) → (…, D)."""
        return np.asarray(self.mean + coefficients @ self.components)
