"""Sections through a grid as they are read: anterior on the left in sagittal, the patient's right in coronal ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation

from eigenwarp.volume.geometry import Geometry

# Shown around the labels, so that a small organ in a large image fills the picture.
MARGIN_MM = 15.0


@dataclass(frozen=True)
class Section:
    """One plane of a grid, its axes being the RAS directions nearest to the array's.

    Args:
        name: ``sagittal`` or ``coronal``.
        axis: the RAS axis across the plane, 0 or 1.
        index: of the plane along it, in the reoriented grid.
        columns, rows: of the plane that are shown, along its horizontal RAS axis and along S.
        geometry: the original grid.
    """

    name: str
    axis: int
    index: int
    columns: slice
    rows: slice
    geometry: Geometry

    @property
    def horizontal(self) -> int:
        """The RAS axis that runs across the picture: A for sagittal, R for coronal."""
        return 1 - self.axis

    @property
    def edges(self) -> tuple[str, str, str, str]:
        """Directions at the left, right, top and bottom edge."""
        return ("A", "P", "S", "I") if self.axis == 0 else ("R", "L", "S", "I")

    @property
    def spacing(self) -> tuple[float, float]:
        """mm between columns and between rows."""
        spacing = self.geometry.reoriented("RAS")[0].spacing
        return spacing[self.horizontal], spacing[2]

    def take(self, data: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The plane of an array on the original grid: (rows, columns, …), bottom row first, left column first."""
        _, transform = self.geometry.reoriented("RAS")
        plane = np.take(apply_orientation(data, transform), self.index, axis=self.axis)[self.columns, self.rows]
        # Both views have their horizontal RAS axis pointing to the left.
        return np.swapaxes(plane, 0, 1)[:, ::-1]

    def in_plane(self, vectors: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """World vectors (X, Y, Z, 3) → their parts along the picture's right and up, (rows, columns) each, mm."""
        canonical, _ = self.geometry.reoriented("RAS")
        directions = canonical.affine[:3, :3] / canonical.spacing
        plane = np.asarray(self.take(vectors), dtype=np.float64)
        return -(plane @ directions[:, self.horizontal]), plane @ directions[:, 2]

    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top, mm, for pixels of the true aspect."""
        across, up = self.spacing
        return 0.0, across * (self.columns.stop - self.columns.start), 0.0, up * (self.rows.stop - self.rows.start)


def sections(
    geometry: Geometry, labels: npt.NDArray[np.integer] | None = None, margin_mm: float = MARGIN_MM
) -> tuple[Section, Section]:
    """The sagittal and coronal plane with the most labelled voxels, cut around them; the middle without labels."""
    canonical, transform = geometry.reoriented("RAS")
    found = np.zeros(canonical.shape, dtype=np.bool_) if labels is None else apply_orientation(labels > 0, transform)
    windows = [_window(found, axis, canonical.spacing[axis], margin_mm) for axis in range(3)]
    planes = []
    for name, axis in (("sagittal", 0), ("coronal", 1)):
        area = found.sum(axis=tuple(other for other in range(3) if other != axis))
        index = int(area.argmax()) if area.any() else canonical.shape[axis] // 2
        planes.append(Section(name, axis, index, windows[1 - axis], windows[2], geometry))
    return planes[0], planes[1]


def _window(found: npt.NDArray[np.bool_], axis: int, spacing: float, margin_mm: float) -> slice:
    size = found.shape[axis]
    present = np.flatnonzero(found.any(axis=tuple(other for other in range(3) if other != axis)))
    if not len(present):
        return slice(0, size)
    margin = round(margin_mm / spacing)
    return slice(max(int(present[0]) - margin, 0), min(int(present[-1]) + 1 + margin, size))
