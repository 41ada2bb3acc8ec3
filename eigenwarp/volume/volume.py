"""Images and segmentations: an array together with its grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import (
    EmptyVolumeError,
    GeometryInvalidError,
    LabelsNotIntegerError,
    SegmentationGeometryError,
    VoxelsNotFiniteError,
)
from eigenwarp.volume.geometry import Geometry, Shape

LABEL_LIMIT = 65535


@dataclass(frozen=True, eq=False)
class Volume:
    """A scalar image.

    Args:
        data: intensities, (X, Y, Z); kept as float32.
        geometry: the grid, of the same shape.

    Raises:
        GeometryInvalidError: array and grid differ in shape.
        VoxelsNotFiniteError: NaN or infinite intensities.
    """

    data: npt.NDArray[np.float32]
    geometry: Geometry

    def __post_init__(self) -> None:
        data = np.asarray(self.data, dtype=np.float32)
        if data.shape != self.geometry.shape:
            raise GeometryInvalidError(f"array of shape {data.shape} on a grid of shape {self.geometry.shape}")
        bad = data.size - int(np.isfinite(data).sum())
        if bad:
            raise VoxelsNotFiniteError(f"{bad} of {data.size} voxels are NaN or infinite")
        object.__setattr__(self, "data", data)

    @property
    def shape(self) -> Shape:
        return self.geometry.shape

    def require_contrast(self) -> None:
        """Refuse an image of one intensity, which nothing can be registered to.

        Raises:
            EmptyVolumeError: every voxel has the same value.
        """
        low, high = float(self.data.min()), float(self.data.max())
        if low == high:
            raise EmptyVolumeError(f"every voxel has the value {low:g}: there is nothing to register")


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Anatomical labels, 0 for background.

    Args:
        data: whole numbers 0…65535, (X, Y, Z); kept as uint16.
        geometry: the grid, of the same shape.

    Raises:
        GeometryInvalidError: array and grid differ in shape.
        LabelsNotIntegerError: values that are fractional, negative or too large; the first is named.
    """

    data: npt.NDArray[np.uint16]
    geometry: Geometry

    def __post_init__(self) -> None:
        data = np.asarray(self.data)
        if data.shape != self.geometry.shape:
            raise GeometryInvalidError(f"array of shape {data.shape} on a grid of shape {self.geometry.shape}")
        if data.dtype != np.uint16:
            wrong = ~np.isfinite(data) | (data < 0) | (data > LABEL_LIMIT)
            wrong |= np.where(wrong, 0, data) != np.round(np.where(wrong, 0, data))
            if wrong.any():
                raise LabelsNotIntegerError(
                    f"labels must be whole numbers from 0 to {LABEL_LIMIT}, got {data[wrong].flat[0]!s}"
                    f" in {int(wrong.sum())} voxels"
                )
            data = data.astype(np.uint16)
        object.__setattr__(self, "data", data)

    @property
    def shape(self) -> Shape:
        return self.geometry.shape

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels present, background left out, ascending."""
        return tuple(int(label) for label in np.unique(self.data) if label != 0)

    def require_grid_of(self, volume: Volume) -> None:
        """Refuse a segmentation that lies on another grid than its image.

        Raises:
            SegmentationGeometryError: shape or position differ by more than 0.01 mm.
        """
        if not self.geometry.matches(volume.geometry, tolerance_mm=0.01):
            raise SegmentationGeometryError(
                f"the segmentation has shape {self.shape} and orientation {self.geometry.orientation}, its volume"
                f" shape {volume.shape} and orientation {volume.geometry.orientation}, or they lie apart in the world"
            )
