"""A cohort of labelled blobs under known deformations, for tests and for those who hold no data yet.

One template, an ellipsoid cut into a head (label 1, anterior) and a body (label 2, posterior) beside a distractor, is
seen through a smooth random deformation per subject, with another contrast, shading and noise each time. Subject s at
point x shows the template at x + u_s(x): ``truth/`` holds for every subject this pull-back field of the template.
"""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.files.field_files import FieldFormat, write_field
from eigenwarp.volume import Geometry, Segmentation, Shape, Volume
from eigenwarp.volume.nifti import write_segmentation, write_volume
from training.data.deformation import Deformation
from training.data.split import SPLIT_FILE

HEAD, BODY = 1, 2

# Of the half-width of the grid: the ellipsoid's semi-axes, and the plane between head and body.
_SEMI_AXES = np.array((0.38, 0.62, 0.34))
_HEAD_FROM = 0.1
_DISTRACTOR_CENTRE = np.array((0.6, -0.2, 0.5))
_DISTRACTOR_RADIUS = 0.28


def make_cohort(
    out_dir: Path,
    subjects: int,
    seed: int = 0,
    shape: Shape = (40, 56, 40),
    *,
    validation: int | None = None,
    steepness: float = 0.6,
) -> Path:
    """Write a cohort of ``images/``, ``labels/``, ``split.json`` and the fields in ``truth/``.

    Args:
        out_dir: not there yet, or empty.
        subjects: how many, two or more.
        seed: the same seed gives the same files.
        shape: voxels of 1 mm, RAS, 16 or more along each axis.
        validation: how many of the subjects to keep from training, the last ones; a fifth unless given.
        steepness: largest stretch of a deformation, from 0 to below 1.

    Returns:
        ``out_dir``.

    Raises:
        OptionInvalidError: a value out of range.
        DataSetError: the folder holds something already.
    """
    kept_apart = max(1, subjects // 5) if validation is None else validation
    if subjects < 2:
        raise OptionInvalidError(f"a cohort needs at least 2 subjects, got {subjects}")
    if not 0 < kept_apart < subjects:
        raise OptionInvalidError(f"of {subjects} subjects, {kept_apart} cannot be kept for validation")
    if min(shape) < 16:
        raise OptionInvalidError(f"the shape must be 16 voxels or more along each axis, got {shape}")
    if not 0 <= steepness < 1:
        raise OptionInvalidError(f"the steepness must be from 0 to below 1, got {steepness:g}")
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise DataSetError(f"{out_dir} is there already and holds something else")
    for part in ("images", "labels", "truth"):
        (out_dir / part).mkdir(parents=True)
    names = [f"blob_{number:03d}" for number in range(1, subjects + 1)]
    # A stream per subject: a larger cohort begins with the smaller one's subjects.
    for name, stream in zip(names, np.random.SeedSequence(seed).spawn(subjects), strict=True):
        volume, segmentation, truth = make_subject(np.random.default_rng(stream), shape, steepness=steepness)
        write_volume(volume, out_dir / "images" / f"{name}.nii.gz")
        write_segmentation(segmentation, out_dir / "labels" / f"{name}.nii.gz")
        write_field(truth, out_dir / "truth" / f"{name}.nii.gz", FieldFormat.RAS)
    split = {"train": names[: subjects - kept_apart], "validation": names[subjects - kept_apart :]}
    (out_dir / SPLIT_FILE).write_text(json.dumps(split, indent=1) + "\n")
    return out_dir


def make_subject(
    generator: np.random.Generator, shape: Shape, *, steepness: float = 0.6
) -> tuple[Volume, Segmentation, DisplacementField]:
    """A subject, its labels, and the field that brings the template onto it: u = x_template − x_subject, world mm."""
    geometry = Geometry.from_spacing(shape)
    half_width = (np.array(shape) - 1) / 2
    deformation = Deformation.random(generator, half_width * 0.8, steepness=steepness)
    points = geometry.to_world(geometry.voxel_grid())
    displacement = deformation.displacement(points)
    labels, tissue = template(points + displacement, half_width)
    return (
        Volume(_scan(tissue, generator), geometry),
        Segmentation(labels, geometry),
        DisplacementField(displacement.astype(np.float32), geometry),
    )


def template(
    points: npt.NDArray[np.float64], half_width: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float64]]:
    """The template's labels and its intensity, 0…1, at world points (…, 3) mm."""
    at = points / half_width
    inside = ((at / _SEMI_AXES) ** 2).sum(axis=-1) <= 1
    head = at[..., 1] > _HEAD_FROM
    labels = np.where(inside, np.where(head, HEAD, BODY), 0).astype(np.uint16)
    distractor = ((at - _DISTRACTOR_CENTRE) ** 2).sum(axis=-1) <= _DISTRACTOR_RADIUS**2
    # Head and body differ less than either does from what surrounds them, as in T1 images of the hippocampus.
    tissue = np.select([inside & head, inside, distractor], [0.75, 0.65, 0.9], 0.35)
    return labels, tissue


def _scan(tissue: npt.NDArray[np.float64], generator: np.random.Generator) -> npt.NDArray[np.float32]:
    """What a scanner makes of it: partial volume, shading, noise, and a gain and offset of its own."""
    blurred = gaussian_filter(tissue, 0.6)
    shading = gaussian_filter(generator.normal(size=tissue.shape), min(tissue.shape) / 4)
    shaded = blurred * (1 + 0.1 * shading / np.abs(shading).max())
    noisy = shaded + generator.normal(scale=0.03, size=tissue.shape)
    gain, offset = generator.uniform(200, 2000), generator.uniform(0, 100)
    scan: npt.NDArray[np.float32] = np.maximum(gain * noisy + offset, 0).astype(np.float32)
    return scan
