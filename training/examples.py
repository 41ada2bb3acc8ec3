"""Subjects made by a model itself: its template under coefficients drawn from the cohort."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import binary_erosion, gaussian_filter

from eigenwarp.errors import ModelUnknownError
from eigenwarp.field import DisplacementField, field_from_model, warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import write_segmentation, write_volume
from training.tensors import PreparedCohort

# Voxels of the Gaussian that parts tissue from noise.
ANATOMY_WIDTH = 2.0
# What white noise keeps of its standard deviation when its Gaussian mean of one voxel's width is taken off:
# √(1 − 2 g(0) + Σ g²).
HIGH_PASS_SHARE = 0.946
# Sizes, in voxels, as the cohort's crops have them; the template is blurred air beyond.
CROP_LOW, CROP_HIGH = (32, 44, 30), (38, 54, 40)


class Texture(NamedTuple):
    """What real images have beyond a template brought onto them, on intensities in [0, 1].

    Args:
        anatomy: standard deviation of the smooth part, tissue that the mean does not have.
        noise: standard deviation from voxel to voxel.
    """

    anatomy: float
    noise: float


# Of the hippocampus data set.
DEFAULT_TEXTURE = Texture(anatomy=0.041, noise=0.042)


def texture_level(model: RegistrationModel, cohort: PreparedCohort, subjects: int = 20) -> Texture:
    """Measure the texture of real subjects.

    Args:
        cohort: of which the first few are measured.
    """
    template = _template(model)
    basis, network = model.basis, model.network
    smooth, rough = [], []
    for index in range(min(subjects, len(cohort))):
        image = cohort.images[index, 0].numpy()
        with torch.inference_mode():
            code = network.encode(cohort.images[index : index + 1])[0].numpy()
        field = _subject_field(model, basis.mean - code, template.geometry)
        difference = image - warp_volume(template, field).data
        inside = binary_erosion(image > 0, iterations=2)
        smooth.append(float(gaussian_filter(difference, ANATOMY_WIDTH)[inside].std()))
        # The median of the high-pass part tells noise from edges, which are few and large; 0.6745 makes it a
        # standard deviation.
        rough.append(float(np.median(np.abs(image - gaussian_filter(image, 1.0))[inside]) / 0.6745 / HIGH_PASS_SHARE))
    return Texture(float(np.mean(smooth)), float(np.mean(rough)))


def make_examples(
    model: RegistrationModel, out: Path, *, subjects: int = 6, seed: int = 0, texture: Texture = DEFAULT_TEXTURE
) -> list[str]:
    """Write synthetic subjects as a data set of images and labels.

    Args:
        out: gets ``images/``, ``labels/`` and ``split.json``; every subject is in its validation group.
        texture: as ``texture_level`` measures it.

    Returns:
        The subjects' names.
    """
    template, labels = _template(model), model.bundle.template_segmentation
    if labels is None:
        raise ModelUnknownError(f"model {model.bundle.name!r} has no labelled template")
    random = np.random.default_rng(seed)
    names = [f"synthetic_{index + 1}" for index in range(subjects)]
    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    basis = model.basis
    for name in names:
        drawn = random.multivariate_normal(np.zeros(basis.count), basis.coefficient_covariance).astype(np.float32)
        # The template stands for the mean encoding: D(mean − code) brings it onto the drawn subject's grid.
        field = _subject_field(model, -(drawn @ basis.components), template.geometry)
        anatomy = gaussian_filter(random.standard_normal(template.shape), ANATOMY_WIDTH)
        noise = random.standard_normal(template.shape)
        intensities = (
            warp_volume(template, field).data + texture.anatomy * anatomy / anatomy.std() + texture.noise * noise
        )
        scale, gamma = random.uniform(200, 1200), random.uniform(0.85, 1.15)
        image = (np.clip(intensities, 0, 1) ** gamma * scale).round()
        window = _crop(random, template.geometry)
        grid = Geometry.from_spacing(window[1], model.preprocessing.spacing)
        cut = tuple(slice(start, start + size) for start, size in zip(*window, strict=True))
        write_volume(Volume(image[cut].astype(np.float32), grid), out / "images" / f"{name}.nii.gz")
        write_segmentation(
            Segmentation(warp_segmentation(labels, field, "linear").data[cut], grid), out / "labels" / f"{name}.nii.gz"
        )
    (out / "split.json").write_text(json.dumps({"train": [], "validation": names}, indent=1) + "\n")
    return names


def _template(model: RegistrationModel) -> Volume:
    if model.bundle.template is None:
        raise ModelUnknownError(f"model {model.bundle.name!r} has no template")
    return model.bundle.template


def _subject_field(model: RegistrationModel, difference: npt.NDArray[np.floating], grid: Geometry) -> DisplacementField:
    return field_from_model(model.decode(difference), grid, grid, grid)


def _crop(random: np.random.Generator, grid: Geometry) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    drawn = [int(random.integers(low, high + 1)) for low, high in zip(CROP_LOW, CROP_HIGH, strict=True)]
    size = [min(n, s) for n, s in zip(grid.shape, drawn, strict=True)]
    start = [(n - s) // 2 for n, s in zip(grid.shape, size, strict=True)]
    return (start[0], start[1], start[2]), (size[0], size[1], size[2])
