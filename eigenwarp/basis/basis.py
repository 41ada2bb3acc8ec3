"""The basis of elementary deformations: a PCA of the encodings (section 3.2)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import BundleInvalidError, ComponentOutOfRangeError

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Basis:
    """Principal directions u_1 … u_K of the cohort's encodings and what the cohort looks like in them.

    Args:
        mean: of the encodings, (D,).
        components: u_j as orthonormal rows, (K, D).
        variances: of the cohort along each, (K,), descending.
        total_variance: of the encodings, of which the components hold a part.
        coefficients: of the N training subjects, (N, K).
        residuals: of the training subjects, (N,): what the basis leaves of E(X) − mean, relative.

    Raises:
        BundleInvalidError: shapes that do not fit, or rows that are not orthonormal.
    """

    mean: FloatArray
    components: FloatArray
    variances: FloatArray
    total_variance: float
    coefficients: FloatArray
    residuals: FloatArray

    def __post_init__(self) -> None:
        count, length = self.components.shape
        if self.mean.shape != (length,) or self.variances.shape != (count,):
            raise BundleInvalidError(
                f"basis: mean {self.mean.shape} and variances {self.variances.shape} for components {(count, length)}"
            )
        if self.coefficients.ndim != 2 or self.coefficients.shape[1] != count or len(self.coefficients) < 2:
            raise BundleInvalidError(f"basis: training coefficients {self.coefficients.shape} for {count} components")
        if self.residuals.shape != (len(self.coefficients),):
            raise BundleInvalidError(f"basis: {self.residuals.shape} residuals for {len(self.coefficients)} subjects")
        gram = self.components.astype(np.float64) @ self.components.T.astype(np.float64)
        deviation = float(np.abs(gram - np.eye(count)).max())
        if not deviation < 1e-3:
            raise BundleInvalidError(f"basis: components are not orthonormal, off by {deviation:.2g}")

    @property
    def count(self) -> int:
        """K."""
        return len(self.components)

    @property
    def explained_variance_ratio(self) -> FloatArray:
        """Each component's share of the cohort's total variance, (K,)."""
        return np.asarray(self.variances / self.total_variance)

    @property
    def coefficient_mean(self) -> FloatArray:
        """Of the training cohort, (K,); zero but for rounding."""
        return np.asarray(self.coefficients.mean(axis=0))

    @property
    def coefficient_covariance(self) -> FloatArray:
        """Of the training cohort, (K, K)."""
        return np.atleast_2d(np.cov(self.coefficients, rowvar=False))

    def standard_deviation(self, component: int) -> float:
        """Of the cohort along component 1 … K."""
        self._check(component)
        return float(np.sqrt(self.variances[component - 1]))

    def direction(self, component: int) -> FloatArray:
        """u_k for k = 1 … K, unit length, (D,).

        Raises:
            ComponentOutOfRangeError: no such component.
        """
        self._check(component)
        return np.asarray(self.components[component - 1])

    def project(self, codes: FloatArray) -> FloatArray:
        """Coefficients a_j = (E(X) − mean) · u_j: (…, D) → (…, K).

        The paper writes E(X) · u_j; scikit-learn's PCA, which it uses, takes the mean off first, and so do we.
        """
        return np.asarray((codes - self.mean) @ self.components.T)

    def project_difference(self, difference: FloatArray) -> FloatArray:
        """Coefficients of a difference of two encodings, where the mean cancels: (…, D) → (…, K)."""
        return np.asarray(difference @ self.components.T)

    def reconstruct(self, coefficients: FloatArray) -> FloatArray:
        """E(X) ≈ mean + Σ a_j u_j: (…, K) → (…, D)."""
        return np.asarray(self.mean + coefficients @ self.components)

    def truncate(self, difference: FloatArray, count: int | None = None) -> FloatArray:
        """The part of a latent difference that the first ``count`` components hold: (D,) → (D,).

        Raises:
            ComponentOutOfRangeError: fewer than one or more than K components.
        """
        used = self.count if count is None else count
        self._check(used)
        rows = self.components[:used]
        return np.asarray((difference @ rows.T) @ rows)

    def residual(self, code: FloatArray) -> float:
        """|E(X) − mean − Σ a_j u_j| / |E(X) − mean|, in [0, 1]."""
        centred = code - self.mean
        norm = float(np.linalg.norm(centred))
        return float(np.linalg.norm(centred - self.project(code) @ self.components)) / norm if norm else 0.0

    def mahalanobis(self, coefficients: FloatArray) -> float:
        """√Σ (a_j² / σ_j²): distance from the cohort's mean, in standard deviations."""
        return float(np.sqrt((np.asarray(coefficients, dtype=np.float64) ** 2 / self.variances).sum()))

    def mahalanobis_percentile(self, coefficients: FloatArray) -> float:
        """Share of training subjects, in %, that lie closer to the mean."""
        distances = np.sqrt((self.coefficients.astype(np.float64) ** 2 / self.variances).sum(axis=1))
        return float((distances < self.mahalanobis(coefficients)).mean() * 100)

    def residual_percentile(self, code: FloatArray) -> float:
        """Share of training subjects, in %, that the basis holds better."""
        return float((self.residuals < self.residual(code)).mean() * 100)

    def _check(self, component: int) -> None:
        if not 1 <= component <= self.count:
            raise ComponentOutOfRangeError(f"component {component} is outside 1 to {self.count}")
