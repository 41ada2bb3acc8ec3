"""PCA of the deformation grids themselves, which the paper tried beside that of the encodings (section 5).

Each training subject's grid is D(E(X) − mean), the field on its way to the cohort's mean anatomy, in mm at every voxel
of the model's grid and flattened. There are far more values than subjects, so the principal directions come from the
subjects' Gram matrix.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from eigenwarp.basis import Basis
from eigenwarp.errors import OptionInvalidError
from eigenwarp.model.registration import RegistrationModel
from training.experiment.encodings import encodings
from training.experiment.stage import Workplace

FloatArray = npt.NDArray[np.float32]

# Values taken into float64 at a time.
_COLUMNS = 65536


def deformation_grids(model: RegistrationModel, differences: npt.NDArray[np.floating]) -> Iterator[FloatArray]:
    """D(z) of latent differences (N, D), one after another: (X · Y · Z · 3,), mm."""
    spacing = np.asarray(model.preprocessing.spacing, dtype=np.float32)
    for difference in differences:
        yield (model.decode(difference) * spacing).ravel()


@lru_cache(maxsize=1)
def grid_basis(workplace: Workplace) -> Basis:
    """The basis of the training subjects' deformation grids, of as many components as that of the encodings."""
    model = workplace.model
    codes = encodings(workplace, "without skips", "train")
    rows = np.empty((len(codes), int(np.prod(model.preprocessing.shape)) * 3), dtype=np.float32)
    for row, grid in zip(rows, deformation_grids(model, codes - model.basis.mean), strict=True):
        row[:] = grid
    return fit_wide_basis(rows, min(model.basis.count, len(rows) - 1))


def fit_wide_basis(rows: FloatArray, count: int) -> Basis:
    """PCA of N rows of D values, N being far below D.

    Args:
        rows: (N, D); centred in place.
        count: of the directions to keep.

    Raises:
        OptionInvalidError: more directions than N − 1.
    """
    subjects, length = rows.shape
    if not 1 <= count < subjects:
        raise OptionInvalidError(f"{subjects} rows give 1 to {subjects - 1} directions, asked for {count}")
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows -= mean
    parts = [slice(start, start + _COLUMNS) for start in range(0, length, _COLUMNS)]
    gram = np.zeros((subjects, subjects))
    for part in parts:
        values = rows[:, part].astype(np.float64)
        gram += values @ values.T
    energies, vectors = np.linalg.eigh(gram)
    energies, vectors = energies[::-1][:count], vectors[:, ::-1][:, :count]
    lengths = np.sqrt(np.maximum(energies, np.finfo(np.float64).tiny))
    components = np.empty((count, length), dtype=np.float32)
    for part in parts:
        components[:, part] = (vectors / lengths).T @ rows[:, part].astype(np.float64)
    own = np.diag(gram)
    held = (vectors * lengths) ** 2
    left = np.maximum(own - held.sum(axis=1), 0) / np.maximum(own, np.finfo(np.float64).tiny)
    return Basis(
        mean=mean,
        components=components,
        variances=(energies / (subjects - 1)).astype(np.float32),
        total_variance=float(own.sum() / (subjects - 1)),
        coefficients=(vectors * lengths).astype(np.float32),
        residuals=np.sqrt(left).astype(np.float32),
    )
