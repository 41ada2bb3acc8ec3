"""The basis of a cohort: PCA of all its encodings, flattened (section 3.2)."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from sklearn.decomposition import PCA, IncrementalPCA

from eigenwarp.basis import Basis
from eigenwarp.errors import OptionInvalidError
from eigenwarp.model import RegistrationNetwork
from training.tensors import PreparedCohort

FloatArray = npt.NDArray[np.float32]

# Directions kept between batches beyond those asked for: an incremental PCA that keeps only K forgets, batch by batch,
# what the K-th and its neighbours shared.
OVERSAMPLING = 3


@torch.inference_mode()
def encode_cohort(network: RegistrationNetwork, cohort: PreparedCohort, batch: int = 8) -> Iterator[FloatArray]:
    """Encodings of a cohort in its order, (≤ batch, D) float32 at a time."""
    network.eval()
    device = next(network.parameters()).device
    for images in cohort.images.split(batch):
        yield network.encode(images.to(device)).cpu().numpy()


def fit_basis(
    network: RegistrationNetwork, cohort: PreparedCohort, count: int = 32, *, incremental: bool = False
) -> Basis:
    """Fit the basis U_K.

    Args:
        count: K; the paper's 32.
        incremental: keep only a few batches of encodings in memory at a time.

    Raises:
        OptionInvalidError: more components than the cohort can give.
    """
    if not 1 <= count < len(cohort):
        raise OptionInvalidError(f"{len(cohort)} subjects give 1 to {len(cohort) - 1} components, asked for {count}")
    if incremental:
        return _fit_incrementally(network, cohort, count)
    codes = np.concatenate(list(encode_cohort(network, cohort)))
    pca = PCA(count, svd_solver="full").fit(codes)
    total = float(codes.var(axis=0, ddof=1, dtype=np.float64).sum())
    return _basis(pca.mean_, pca.components_, pca.explained_variance_, total, [codes])


def _fit_incrementally(network: RegistrationNetwork, cohort: PreparedCohort, count: int) -> Basis:
    kept = min(count * OVERSAMPLING, len(cohort) - 1)
    pca = IncrementalPCA(kept)
    pending: list[FloatArray] = []
    for codes in encode_cohort(network, cohort):
        pending.append(codes)
        # partial_fit needs at least as many rows as directions, so the last rows wait for no successor.
        rows = np.concatenate(pending)
        left = len(cohort) - pca_rows(pca) - len(rows)
        if len(rows) >= kept and (left == 0 or left >= kept):
            pca.partial_fit(rows)
            pending = []
    total = float(pca.var_.astype(np.float64).sum()) * len(cohort) / (len(cohort) - 1)
    components, variances = pca.components_[:count], pca.explained_variance_[:count]
    return _basis(pca.mean_, components, variances, total, encode_cohort(network, cohort))


def pca_rows(pca: IncrementalPCA) -> int:
    """Rows that an incremental PCA has seen."""
    return int(getattr(pca, "n_samples_seen_", 0))


def _basis(
    mean: npt.ArrayLike,
    components: npt.ArrayLike,
    variances: npt.ArrayLike,
    total: float,
    batches: "list[FloatArray] | Iterator[FloatArray]",
) -> Basis:
    mean = np.asarray(mean, dtype=np.float32)
    components = np.asarray(components, dtype=np.float32)
    coefficients, residuals = [], []
    for codes in batches:
        centred = codes - mean
        along = centred @ components.T
        coefficients.append(along)
        left = np.linalg.norm(centred - along @ components, axis=1)
        residuals.append(left / np.maximum(np.linalg.norm(centred, axis=1), 1e-12))
    return Basis(
        mean=mean,
        components=components,
        variances=np.asarray(variances, dtype=np.float32),
        total_variance=total,
        coefficients=np.concatenate(coefficients),
        residuals=np.concatenate(residuals),
    )
