"""Bases of cohorts that are drawn, whose truth is known."""

import numpy as np

from eigenwarp.basis import Basis


def gaussian_cohort(
    random: np.random.Generator, subjects: int, deviations: tuple[float, ...], length: int, noise: float = 0.0
) -> np.ndarray:
    """Subjects that spread by ``deviations`` along the first axes and by ``noise`` along all, (N, length)."""
    codes = noise * random.normal(size=(subjects, length))
    codes[:, : len(deviations)] += random.normal(size=(subjects, len(deviations))) * np.array(deviations)
    return codes


def basis_of(codes: np.ndarray, count: int) -> Basis:
    """The PCA of codes (N, D)."""
    mean = codes.mean(axis=0)
    _, singular, directions = np.linalg.svd(codes - mean, full_matrices=False)
    components = directions[:count]
    coefficients = (codes - mean) @ components.T
    left = np.linalg.norm(codes - mean - coefficients @ components, axis=1)
    return Basis(
        mean=mean,
        components=components,
        variances=singular[:count] ** 2 / (len(codes) - 1),
        total_variance=float((singular**2).sum() / (len(codes) - 1)),
        coefficients=coefficients,
        residuals=left / np.linalg.norm(codes - mean, axis=1),
    )
