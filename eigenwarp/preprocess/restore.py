"""The way back: what was computed on the model's grid, on a volume's own grid."""

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import GeometryInvalidError
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.resample import resample_linear, resample_nearest


def restore_segmentation(labels: npt.NDArray[np.integer], grid: Geometry, target: Geometry) -> Segmentation:
    """Labels on the model's grid → nearest labels on the volume's own grid; background outside the model's grid.

    Args:
        labels: (X, Y, Z) of the grid's shape.
        grid: the model's grid laid over the volume.
        target: the volume's own grid.

    Raises:
        GeometryInvalidError: the array is not of the grid's shape.
    """
    on_grid = Segmentation(np.asarray(labels), grid)
    restored, _ = resample_nearest(on_grid.data, grid, target)
    return Segmentation(restored, target)


def restore_probabilities(
    probabilities: npt.NDArray[np.floating], labels: tuple[int, ...], grid: Geometry, target: Geometry
) -> Segmentation:
    """Probabilities on the model's grid → the likeliest label on the volume's own grid.

    Each class is read linearly, then the largest wins (the first of equals): smoother than nearest labels where the
    volume is finer than the model's grid. Background outside the model's grid.

    Args:
        probabilities: (C, X, Y, Z), one class after another, of the grid's shape.
        labels: the label of each class; 0 for background.
        grid: the model's grid laid over the volume.
        target: the volume's own grid.

    Raises:
        GeometryInvalidError: the array is not of the grid's shape, or classes and labels differ in number.
    """
    if probabilities.shape != (len(labels), *grid.shape):
        raise GeometryInvalidError(
            f"probabilities of shape {probabilities.shape}, expected {(len(labels), *grid.shape)}"
        )
    winner = np.zeros(target.shape, dtype=np.uint16)
    best = np.full(target.shape, -np.inf, dtype=np.float32)
    for label, probability in zip(labels, probabilities, strict=True):
        read, inside = resample_linear(probability, grid, target)
        wins = inside & (read > best)
        winner[wins] = label
        best[wins] = read[wins]
    return Segmentation(winner, target)
