"""The kept subspace turned so that each direction is concentrated on few places (Kaiser 1958)."""

import numpy as np
import numpy.typing as npt

from eigenwarp.basis import Basis

FloatArray = npt.NDArray[np.float64]

_TOLERANCE = 1e-7


def varimax(loadings: npt.ArrayLike, max_iterations: int = 200) -> FloatArray:
    """The rotation T that makes the squared loadings of T · loadings vary most along each row.

    Args:
        loadings: (K, D), rows of any length.
        max_iterations: it stops earlier where the criterion grows by less than 1e-7 of itself.

    Returns:
        (K, K), orthogonal.
    """
    rows = np.asarray(loadings, dtype=np.float64)
    count, length = rows.shape
    rotation = np.eye(count)
    criterion = 0.0
    for _ in range(max_iterations):
        turned = rotation @ rows
        target = turned**3 - turned * ((turned**2).sum(axis=1, keepdims=True) / length)
        u, singular, v = np.linalg.svd(target @ rows.T)
        rotation = u @ v
        if singular.sum() < criterion * (1 + _TOLERANCE):
            break
        criterion = float(singular.sum())
    return rotation


def rotate_basis(basis: Basis, rotation: npt.ArrayLike) -> Basis:
    """The same subspace under other orthonormal directions, those of the largest variance first.

    The cohort's coefficients along them are correlated, unlike a PCA's; reconstructions are the same.

    Args:
        rotation: orthogonal, (K, K): the new directions are its rows' combinations of the old ones.

    Raises:
        BundleInvalidError: the matrix is not orthogonal.
    """
    turn = np.asarray(rotation, dtype=np.float64)
    coefficients = basis.coefficients @ turn.T
    variances = coefficients.var(axis=0, ddof=1)
    order = np.argsort(-variances)
    return Basis(
        mean=basis.mean,
        components=(turn @ basis.components)[order],
        variances=variances[order],
        total_variance=basis.total_variance,
        coefficients=coefficients[:, order],
        residuals=basis.residuals,
    )
