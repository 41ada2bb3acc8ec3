"""Random pairs of images on oblique, anisotropic, differently oriented grids, and smooth fields between them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from eigenwarp.field import DisplacementField, field_from_model
from eigenwarp.volume import Geometry, Segmentation, Shape, Volume


@dataclass(frozen=True)
class Pair:
    moving: Volume
    moving_labels: Segmentation
    fixed: Geometry
    field: DisplacementField


def random_geometry(rng: np.random.Generator, shape: Shape, degrees: float = 25.0) -> Geometry:
    """Any of the 48 orientations, turned obliquely, spacings 0.7 to 2.5 mm, anywhere within a decimetre."""
    axes = np.eye(3)[:, rng.permutation(3)] * rng.choice([-1.0, 1.0], 3)
    turn = Rotation.from_rotvec(np.radians(degrees) * rng.uniform(-1, 1, 3) / np.sqrt(3)).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn @ axes @ np.diag(rng.uniform(0.7, 2.5, 3))
    affine[:3, 3] = rng.uniform(-100, 100, 3)
    return Geometry(shape, affine)


def model_grid(volume: Geometry, shape: Shape, rng: np.random.Generator) -> Geometry:
    """A grid of the model's shape centred on the volume's centre, of another direction than the volume's."""
    turn = Rotation.from_rotvec(rng.uniform(-0.2, 0.2, 3)).as_matrix()
    affine = np.eye(4)
    extent = np.linalg.norm(volume.affine[:3, :3] @ np.array(volume.shape))
    affine[:3, :3] = turn * (0.7 * extent / np.array(shape))
    affine[:3, 3] = volume.centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(shape, affine)


def smooth_displacement(
    rng: np.random.Generator, shape: Shape, amplitude: float, sigma: float = 5.0
) -> npt.NDArray[np.float32]:
    """(X, Y, Z, 3), the largest component being ``amplitude``."""
    noise = np.stack([gaussian_filter(rng.standard_normal(shape), sigma) for _ in range(3)], axis=-1)
    return (amplitude * noise / np.abs(noise).max()).astype(np.float32)


def smooth_image(rng: np.random.Generator, geometry: Geometry) -> tuple[Volume, Segmentation]:
    """Intensities 0 to 100, and three labels in blobs."""
    noise = gaussian_filter(rng.standard_normal(geometry.shape), 1.5)
    noise = (noise - noise.min()) / np.ptp(noise)
    labels = np.digitize(noise, [0.45, 0.55, 0.7]).astype(np.uint16)
    return Volume(100 * noise, geometry), Segmentation(labels, geometry)


def random_pair(seed: int) -> Pair:
    rng = np.random.default_rng(seed)
    fixed = random_geometry(rng, (34, 29, 31))
    moving, labels = smooth_image(rng, random_geometry(rng, (32, 38, 27)))
    shape = (24, 28, 26)
    field = field_from_model(
        smooth_displacement(rng, shape, amplitude=3.0),
        model_grid(moving.geometry, shape, rng),
        model_grid(fixed, shape, rng),
        fixed,
    )
    return Pair(moving, labels, fixed, field)
