"""Other directions in the space of the encodings than the principal ones."""

import warnings
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import FastICA, MiniBatchSparsePCA
from sklearn.exceptions import ConvergenceWarning

from eigenwarp.basis import Basis
from eigenwarp.errors import BundleInvalidError
from eigenwarp.explanation import Decomposition, ObliqueDirections, rotate_basis, varimax

FloatArray = npt.NDArray[np.floating]

# Weight of the loadings' absolute values; about a quarter of the latent places stay in each direction.
SPARSITY = 0.5
_ICA_ITERATIONS, _SPARSE_PASSES, _SPARSE_BATCH = 200, 1, 256


class Method(StrEnum):
    PCA = "PCA"
    VARIMAX = "varimax"
    ICA = "ICA"
    SPARSE = "sparse PCA"


def decompose(method: Method, basis: Basis, codes: FloatArray, seed: int) -> Decomposition:
    """As many directions as the basis has, by another criterion.

    Varimax and ICA turn the basis' own subspace: varimax by a rotation, ICA towards coefficients that are independent
    (its directions are the columns of the mixing matrix). Sparse PCA looks for a subspace of its own.

    Args:
        basis: the PCA of the codes.
        codes: of the cohort, (N, D).
        seed: of ICA's and sparse PCA's starts.

    Raises:
        BundleInvalidError: directions that depend on one another, which have no coefficients.
    """
    if method is Method.PCA:
        return basis
    if method is Method.VARIMAX:
        return rotate_basis(basis, varimax(basis.components))
    if method is Method.ICA:
        return ObliqueDirections.fit(_independent(basis, seed) @ basis.components, basis.mean, codes)
    return ObliqueDirections.fit(_sparse(basis, codes, seed), basis.mean, codes)


def _independent(basis: Basis, seed: int) -> FloatArray:
    """Directions of independent coefficients, as combinations of the components, (K, K)."""
    ica = FastICA(basis.count, whiten="unit-variance", random_state=seed, max_iter=_ICA_ITERATIONS, tol=1e-3)
    with warnings.catch_warnings():
        # With few subjects the last digits of the weakest directions never settle; the stability column shows it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        ica.fit(basis.coefficients.astype(np.float64))
    return np.asarray(ica.mixing_.T)


def _sparse(basis: Basis, codes: FloatArray, seed: int) -> FloatArray:
    pca = MiniBatchSparsePCA(
        basis.count,
        alpha=SPARSITY,
        batch_size=_SPARSE_BATCH,
        max_iter=_SPARSE_PASSES,
        method="cd",
        random_state=seed,
    )
    centred = (codes - basis.mean).astype(np.float64)
    # The penalty is on loadings of data whose spread is 1, whatever the network's latent unit is.
    with warnings.catch_warnings():
        # Single places whose last digits do not settle change no figure of the table.
        warnings.simplefilter("ignore", ConvergenceWarning)
        pca.fit(centred / centred.std())
    directions = np.asarray(pca.components_)
    lengths = np.linalg.norm(directions, axis=1)
    if not lengths.all():
        raise BundleInvalidError(f"sparse PCA left {int((lengths == 0).sum())} of {len(lengths)} directions empty")
    return directions
