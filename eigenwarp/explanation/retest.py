"""Scanning an unchanged subject once more, imitated: another position, another voxel grid, fresh noise, another gain.

What it lacks of a true repeat: motion during the scan, other coils and field inhomogeneity, another day's physiology.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from eigenwarp.errors import OptionInvalidError
from eigenwarp.field.interpolation import LinearInterpolator
from eigenwarp.volume import Geometry, Volume

FloatArray = npt.NDArray[np.float64]
PullBack = Callable[[FloatArray], FloatArray]
"""World points (N, 3) of the changed anatomy → those of the original that are seen there, mm."""


@dataclass(frozen=True)
class Retest:
    """How far two scans of an unchanged subject differ.

    Args:
        shift_mm, rotation_degrees: standard deviation of the position along and about each axis.
        spacing: largest relative change of the voxels' size.
        noise: standard deviation of added noise, of the image's range (1st to 99th percentile).
        gain: standard deviation of the logarithm of the gain.

    Raises:
        OptionInvalidError: a negative value, or a change of spacing of 1 or more.
    """

    shift_mm: float = 0.5
    rotation_degrees: float = 1.0
    spacing: float = 0.05
    noise: float = 0.03
    gain: float = 0.1

    def __post_init__(self) -> None:
        values = (self.shift_mm, self.rotation_degrees, self.spacing, self.noise, self.gain)
        if not all(np.isfinite(values)) or min(values) < 0 or self.spacing >= 1:
            raise OptionInvalidError(f"a retest's differences must not be negative, and spacing below 1, got {self}")


def scan_again(volume: Volume, how: Retest, generator: np.random.Generator, changed: PullBack | None = None) -> Volume:
    """One more scan of a volume's subject.

    Both are read in one interpolation, so that a changed subject's scan is no more blurred than an unchanged one's.

    Args:
        generator: of all that is random.
        changed: what has happened to the subject in between; nothing by default.

    Returns:
        A volume about the same centre; beyond the original's border its nearest intensities are seen.
    """
    zoom = 1 + how.spacing * generator.uniform(-1, 1, size=3)
    turn = Rotation.from_rotvec(np.radians(how.rotation_degrees) * generator.normal(size=3))
    shift = how.shift_mm * generator.normal(size=3)
    grid = _zoomed(volume.geometry, zoom)
    centre = volume.geometry.centre
    points = grid.to_world(grid.voxel_grid().reshape(-1, 3))
    seen = turn.apply(points - centre) + centre + shift
    if changed is not None:
        seen = changed(seen)
    values = LinearInterpolator(volume.data).at(volume.geometry.to_voxel(seen).T)[0].reshape(grid.shape)
    low, high = np.percentile(volume.data, (1, 99))
    noisy = values + how.noise * (high - low) * generator.normal(size=grid.shape)
    return Volume((noisy * np.exp(how.gain * generator.normal())).astype(np.float32), grid)


def _zoomed(geometry: Geometry, zoom: FloatArray) -> Geometry:
    """A grid of other voxels over the same field of view, about the same centre."""
    x, y, z = (max(2, round(n / factor)) for n, factor in zip(geometry.shape, zoom, strict=True))
    affine = geometry.affine.copy()
    affine[:3, :3] *= zoom
    affine[:3, 3] += geometry.centre - (affine[:3, :3] @ ((np.array((x, y, z)) - 1) / 2) + affine[:3, 3])
    return Geometry((x, y, z), affine)
