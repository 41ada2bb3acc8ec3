"""A DICOM series as a volume that knows the frames it came from.

The source's frames lie in DICOM's patient space, LPS mm; the volume in world RAS mm, its axes in that order. Both
hold the same voxels, up to permuted and flipped axes: nothing is interpolated on the way in, nor on the way back.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from highdicom import VolumeGeometry
from pydicom import Dataset

from bridge.errors import WriteBackBlockedError
from eigenwarp.errors import GeometryInvalidError
from eigenwarp.schemas.document import Notice
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.resample import resample_linear, resample_nearest

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

SYNTHETIC_GEOMETRY = "synthetic-geometry"
"""Code of the notice that positions were made up by a program that cropped or converted the series."""


@dataclass(frozen=True)
class SourceFrame:
    """Where a slice is stored.

    Args:
        dataset: index into ``SeriesVolume.datasets``.
        number: frame number in a multi-frame instance, from 1 as in ReferencedFrameNumber; None for a single-frame one.
    """

    dataset: int
    number: int | None


@dataclass(frozen=True, eq=False)
class SeriesVolume:
    """A series that was taken in without a defect.

    Args:
        volume: intensities with the modality's rescaling applied, on a grid in canonical order (RAS), world mm.
        datasets: the source's instances as received (with their pixels), single-frame ones in the order of the slices;
            one for an enhanced multi-frame series.
        frames: where slice k of ``source_geometry`` is stored, as many as there are slices.
        source_geometry: axes (slice, row, column), LPS mm. Slices ascend along the normal, the cross product of the
            direction along a row and that down a column, so that (column, row, slice) is right-handed.
        frame_of_reference_uid: None where the source has none and an override let it in.
        notices: what a reader should know, such as a synthetic geometry.
        writable: whether results may be written back in patient space.

    Raises:
        GeometryInvalidError: volume, frames and source geometry do not hold the same voxels.
    """

    volume: Volume
    datasets: tuple[Dataset, ...]
    frames: tuple[SourceFrame, ...]
    source_geometry: VolumeGeometry
    frame_of_reference_uid: str | None
    notices: tuple[Notice, ...]
    writable: bool

    def __post_init__(self) -> None:
        if len(self.frames) != self.source_geometry.spatial_shape[0]:
            raise GeometryInvalidError(
                f"{len(self.frames)} frames for a source geometry of shape {tuple(self.source_geometry.spatial_shape)}"
            )
        if not self.source_grid.reoriented("RAS")[0].matches(self.volume.geometry):
            raise GeometryInvalidError("the volume does not lie where its source's frames lie")

    @cached_property
    def source_grid(self) -> Geometry:
        """The grid of the source's frames in our own convention: axes (column, row, slice), world RAS mm."""
        slices, rows, columns = (int(n) for n in self.source_geometry.spatial_shape)
        affine = np.asarray(self.source_geometry.affine, dtype=np.float64)
        return Geometry((columns, rows, slices), LPS_TO_RAS @ affine[:, [2, 1, 0, 3]])

    def labels_on_source(self, segmentation: Segmentation) -> npt.NDArray[np.uint16]:
        """Labels at the source's pixels: copied where the grids coincide up to order and flips of axes, else nearest.

        Args:
            segmentation: on any grid in this patient's space, such as that of a crop.

        Returns:
            (slices, rows, columns) as ``source_geometry``; 0 outside the segmentation's grid.
        """
        labels, _ = resample_nearest(segmentation.data, segmentation.geometry, self.source_grid)
        return np.ascontiguousarray(labels.transpose(2, 1, 0))

    def values_on_source(self, volume: Volume, outside: float = 0.0) -> npt.NDArray[np.float32]:
        """Values at the source's pixels: copied where the grids coincide up to order and flips of axes, else trilinear.

        Args:
            volume: on any grid in this patient's space.
            outside: the value beyond its grid, such as 1 for a Jacobian determinant.

        Returns:
            (slices, rows, columns) as ``source_geometry``.
        """
        values, inside = resample_linear(volume.data, volume.geometry, self.source_grid)
        values[~inside] = outside
        return np.ascontiguousarray(values.transpose(2, 1, 0))

    def require_writable(self) -> None:
        """Refuse to place results in patient space.

        Raises:
            WriteBackBlockedError: with the reason.
        """
        if self.writable:
            return
        if self.frame_of_reference_uid is None:
            raise WriteBackBlockedError("the series has no frame of reference: results cannot be written back")
        reasons = "; ".join(notice.detail for notice in self.notices if notice.code == SYNTHETIC_GEOMETRY)
        raise WriteBackBlockedError(f"results cannot be written back in patient space: {reasons}")
