"""How alike two images on one grid look."""

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import GeometryInvalidError
from eigenwarp.volume.volume import Volume


def normalised_correlation(first: Volume, second: Volume, where: npt.NDArray[np.bool_] | None = None) -> float:
    """Global normalised cross-correlation (Pearson's r) of the intensities, −1 to 1.

    Args:
        first, second: on grids of one shape.
        where: the voxels that count, (X, Y, Z); all of them by default.

    Returns:
        NaN where fewer than two voxels count or one image is constant there.

    Raises:
        GeometryInvalidError: the shapes differ.
    """
    if first.shape != second.shape or (where is not None and where.shape != first.shape):
        raise GeometryInvalidError(f"images of shape {first.shape} and {second.shape} cannot be correlated")
    a, b = (volume.data[where] if where is not None else volume.data.ravel() for volume in (first, second))
    if len(a) < 2:
        return float("nan")
    a, b = a - a.mean(dtype=np.float64), b - b.mean(dtype=np.float64)
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm else float("nan")
