"""A PCA of few long rows: encodings, or whole deformation grids."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from eigenwarp.basis import Basis
from training.experiment.beyond.measured import decode_batches, encoded
from training.experiment.stage import Workplace

FloatArray = npt.NDArray[np.floating]


def principal_basis(rows: FloatArray, count: int) -> Basis:
    """The basis of rows (N, D) by way of their N × N products, which costs a thousandth of the D × D ones.

    Args:
        count: K, at most N − 1.
    """
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = rows - mean
    energies, vectors = np.linalg.eigh(np.asarray(centred @ centred.T, dtype=np.float64))
    total = float(energies.sum()) / (len(rows) - 1)
    energies, vectors = np.maximum(energies[::-1][:count], 1e-30), vectors[:, ::-1][:, :count]
    components = (vectors / np.sqrt(energies)).T.astype(np.float32) @ centred
    # Products in float32 leave the weak directions short of right angles by their rounding.
    components = np.linalg.qr(components.T.astype(np.float64))[0].T
    coefficients = centred @ components.T
    norms = np.linalg.norm(centred, axis=1)
    left = np.sqrt(np.maximum(norms.astype(np.float64) ** 2 - (coefficients**2).sum(axis=1), 0))
    return Basis(
        mean=mean,
        components=components.astype(np.float32),
        variances=coefficients.var(axis=0, ddof=1),
        total_variance=total,
        coefficients=coefficients,
        residuals=left / np.maximum(norms, 1e-12),
    )


def first_components(basis: Basis, count: int) -> Basis:
    """The basis of the first ``count`` components; relative residuals grow by what is left out."""
    left_out = (basis.coefficients[:, count:].astype(np.float64) ** 2).sum(axis=1)
    inside = (basis.coefficients.astype(np.float64) ** 2).sum(axis=1)
    outside = basis.residuals.astype(np.float64) ** 2
    norm = inside / np.maximum(1 - outside, 1e-12)
    return Basis(
        mean=basis.mean,
        components=basis.components[:count],
        variances=basis.variances[:count],
        total_variance=basis.total_variance,
        coefficients=basis.coefficients[:, :count],
        residuals=np.sqrt(np.clip(outside + left_out / np.maximum(norm, 1e-12), 0, 1)),
    )


def span_coordinates(codes: FloatArray) -> npt.NDArray[np.float64]:
    """Rows (N, D) in the space that they span around their mean, (N, ≤ N − 1).

    All lengths and angles between rows, and so every PCA of some of them, are the same in these few numbers.
    """
    centred = codes - codes.mean(axis=0, dtype=np.float64).astype(np.float32)
    energies, vectors = np.linalg.eigh(np.asarray(centred @ centred.T, dtype=np.float64))
    kept = energies > 1e-7 * energies[-1]
    return np.asarray((vectors[:, kept] * np.sqrt(energies[kept]))[:, ::-1])


@lru_cache(maxsize=1)
def grid_basis(workplace: Workplace) -> Basis:
    """PCA of the deformation grids themselves (section 5): of each training subject's D(E(X) − mean), whole, voxels."""
    without, _ = encoded(workplace)
    basis = without.model.basis
    return principal_basis(grid_rows(workplace, without.train), min(basis.count, len(without.train) - 1))


def grid_rows(workplace: Workplace, codes: FloatArray) -> npt.NDArray[np.float32]:
    """Each encoding's field D(E(X) − mean), flattened: (N, 3·X·Y·Z), voxels."""
    model = workplace.model
    batches = decode_batches(model, codes - model.basis.mean)
    return np.concatenate([batch.flatten(1).numpy() for batch in batches])
