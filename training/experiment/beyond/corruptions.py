"""Scans with a known fault, as an outlier score should catch them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Volume
from training.data.cohort import Cohort

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Corruption:
    """One fault.

    Args:
        name: for tables.
        of_voxels: what happens to the intensities, (X, Y, Z) → (X, Y, Z); the random generator draws the noise.
        shift: voxels of the model's grid by which the crop lies beside the anatomy, along the grid's axes.
    """

    name: str
    of_voxels: Callable[[FloatArray, np.random.Generator], FloatArray] = lambda data, _: data
    shift: tuple[int, int, int] = (0, 0, 0)


def _noise(strength: float) -> Callable[[FloatArray, np.random.Generator], FloatArray]:
    """Gaussian noise of ``strength`` standard deviations of the image."""

    def add(data: FloatArray, random: np.random.Generator) -> FloatArray:
        noisy: FloatArray = (data + strength * data.std() * random.normal(size=data.shape)).astype(np.float32)
        return noisy

    return add


def _flip(axis: int) -> Callable[[FloatArray, np.random.Generator], FloatArray]:
    return lambda data, _: np.ascontiguousarray(np.flip(data, axis))


CORRUPTIONS = (
    Corruption("none"),
    Corruption("noise, half the image's SD", _noise(0.5)),
    Corruption("noise, the image's SD", _noise(1.0)),
    Corruption("blurred, σ of 2 voxels", lambda data, _: np.asarray(gaussian_filter(data, 2.0))),
    Corruption("contrast inverted", lambda data, _: np.asarray(data.max() - data)),
    Corruption("first axis flipped", _flip(0)),
    Corruption("second axis flipped", _flip(1)),
    Corruption("third axis flipped", _flip(2)),
    Corruption("crop shifted by 5 voxels", shift=(0, 0, 5)),
    Corruption("crop shifted by 10 voxels", shift=(0, 0, 10)),
)
"""Axes are the file's: for the hippocampus left-right, posterior-anterior, inferior-superior."""


def corrupted(
    cohort: Cohort, preprocessing: Preprocessing, corruption: Corruption, random: np.random.Generator
) -> Tensor:
    """Every subject of a cohort with one fault, prepared as any volume is, (N, 1, X, Y, Z)."""
    images = []
    for index in range(len(cohort)):
        volume = cohort.load_volume(index)
        faulty = Volume(corruption.of_voxels(volume.data.astype(np.float32), random), volume.geometry)
        grid = preprocessing.grid_for(faulty)
        images.append(preprocessing.prepare(faulty, grid.cropped(corruption.shift, grid.shape)))
    return torch.from_numpy(np.stack(images))[:, None].float()
