"""How the figures of these stages look."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from nibabel.orientations import apply_orientation
from scipy.ndimage import gaussian_filter, zoom

from eigenwarp.volume import Geometry

# Okabe and Ito's colours, which the colour-blind tell apart.
BLUE, ORANGE, GREEN, PINK, SKY, GREY, YELLOW, VERMILION = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#7f7f7f",
    "#f0e442",
    "#d55e00",
)
_DPI = 110
_INK = "#222222"
_CONTOUR_ZOOM = 4
_SMOOTH_VOXELS = 0.7


def new_figure(width: float, height: float, title: str) -> Figure:
    """An empty figure, inches."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    figure.suptitle(title, fontsize=13, color=_INK)
    return figure


def tidy(axis: Axes, title: str = "", x: str = "", y: str = "", *, whole_numbers: bool = False) -> None:
    """Titles, axes' names and a light grid.

    Args:
        whole_numbers: ticks of the x axis at whole numbers alone.
    """
    axis.set_title(title, fontsize=10.5, color=_INK)
    axis.set_xlabel(x, fontsize=9.5)
    axis.set_ylabel(y, fontsize=9.5)
    axis.tick_params(labelsize=8.5)
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    if whole_numbers:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name``.png; no program name or date, so that the same figures give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=_DPI, metadata={"Software": None})


class Window:
    """Sagittal and coronal views of a model's grid, around the anatomy, as a radiologist looks at them.

    Sagittal: anterior to the right. Coronal: the patient's right to the left.

    Args:
        grid: that the arrays lie on.
        region: the anatomy, (X, Y, Z).
        margin: mm around it.
    """

    def __init__(self, grid: Geometry, region: npt.NDArray[np.bool_], margin: float = 8.0) -> None:
        canonical, self._transform = grid.reoriented("RAS")
        self.spacing = canonical.spacing
        found = np.argwhere(self._canonical(region))
        border = np.ceil(margin / np.array(self.spacing)).astype(int)
        low = np.maximum(found.min(axis=0) - border, 0)
        high = np.minimum(found.max(axis=0) + border + 1, canonical.shape)
        self._box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        self._centre = np.round(found.mean(axis=0)).astype(int)

    def slice(self, array: npt.NDArray[np.generic], view: str) -> npt.NDArray[np.generic]:
        """One view of an array (X, Y, Z), rows upwards, columns to the right."""
        x, y, z = self._box
        ras = self._canonical(array)
        if view == "sagittal":
            return np.asarray(ras[self._centre[0], y, z].T)
        return np.asarray(ras[x, self._centre[1], z].T[:, ::-1])

    def extent(self, view: str) -> tuple[float, float, float, float]:
        """Of the view, mm."""
        x, y, z = (s.stop - s.start for s in self._box)
        across = y * self.spacing[1] if view == "sagittal" else x * self.spacing[0]
        return (0.0, across, 0.0, z * self.spacing[2])

    def show(self, axis: Axes, image: npt.NDArray[np.floating] | None, view: str) -> None:
        """The image, grey, and the letters of the directions."""
        extent = self.extent(view)
        if image is not None:
            shown = np.asarray(self.slice(image, view), dtype=np.float32)
            axis.imshow(shown, cmap="gray", origin="lower", extent=extent, interpolation="bilinear")
        axis.set_xlim(extent[0], extent[1])
        axis.set_ylim(extent[2], extent[3])
        axis.set_aspect("equal")
        axis.set_xticks([])
        axis.set_yticks([])
        left, right = ("P", "A") if view == "sagittal" else ("R", "L")
        for where, letter in (((0.04, 0.5), left), ((0.96, 0.5), right), ((0.5, 0.95), "S"), ((0.5, 0.05), "I")):
            axis.text(*where, letter, color="#9be7ff", fontsize=8, ha="center", va="center", transform=axis.transAxes)

    def contour(self, axis: Axes, inside: npt.NDArray[np.floating], view: str, colour: str, width: float = 1.6) -> None:
        """The outline where an array that says how much of each voxel is inside crosses one half."""
        shown = np.asarray(self.slice(inside, view), dtype=np.float32)
        # Labels have the steps of voxels, which a hand would not draw.
        shown = gaussian_filter(shown, _SMOOTH_VOXELS)
        fine = zoom(shown, _CONTOUR_ZOOM, order=1, grid_mode=True, mode="nearest")
        if not fine.min() < 0.5 < fine.max():
            return
        _, across, _, up = self.extent(view)
        rows, columns = fine.shape
        x, y = (np.arange(columns) + 0.5) * across / columns, (np.arange(rows) + 0.5) * up / rows
        axis.contour(x, y, fine, levels=[0.5], colors=colour, linewidths=width)

    def _canonical(self, array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return np.asarray(apply_orientation(array, self._transform))
