"""Outlines, arrows and images of one section, on axes that the caller has made.

The caller brings matplotlib: this module alone does not load it, so that the web side stays without.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import zoom

from eigenwarp.volume.section import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARROWS_ACROSS = 18
DISPLACEMENT_COLOURS = "plasma"
# Pixels of an outline's mask per voxel.
_FINENESS = 4


def draw_image(
    axis: "Axes", plane: Section, data: npt.NDArray[np.generic], window: tuple[float, float], colours: str = "gray"
) -> None:
    """A section of an array on the plane's grid, between two intensities."""
    axis.imshow(
        np.asarray(plane.take(data), dtype=np.float32),
        cmap=colours,
        vmin=window[0],
        vmax=window[1],
        origin="lower",
        extent=plane.extent(),
        interpolation="bilinear",
    )


def draw_outline(
    axis: "Axes", plane: Section, membership: npt.NDArray[np.generic], colour: str, width: float = 1.3
) -> None:
    """Where a label's membership, 0 to 1 on the plane's grid, is a half; smoothed by a fraction of a voxel."""
    shown = np.asarray(plane.take(membership), dtype=np.float32)
    mask = zoom(shown, _FINENESS, order=1, grid_mode=True, mode="nearest")
    if mask.max() > 0.5 > mask.min():
        left, right, bottom, top = plane.extent()
        rows, columns = mask.shape
        x = left + (np.arange(columns) + 0.5) * (right - left) / columns
        y = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
        axis.contour(x, y, mask, levels=[0.5], colors=colour, linewidths=width)


def draw_arrows(
    axis: "Axes",
    plane: Section,
    deformation: npt.NDArray[np.floating],
    longest: float,
    *,
    across: int = ARROWS_ACROSS,
    colours: str = DISPLACEMENT_COLOURS,
    width: float = 0.008,
    magnified: float = 1.0,
) -> None:
    """Tissue seen at x was at x + d(x): each arrow ends where the tissue is seen now.

    Args:
        deformation: d, world mm, (X, Y, Z, 3) on the plane's grid.
        longest: the norm, in all three directions, at the end of the colours, mm.
        across: how many arrows from left to right.
        width: of a shaft, as a share of the picture's width.
        magnified: how many times longer than in truth; such an arrow ends beyond where the tissue is now.
    """
    right, up = plane.in_plane(deformation)
    length = np.linalg.norm(np.asarray(plane.take(deformation), dtype=np.float64), axis=-1)
    rows, columns = right.shape
    wide, high = plane.spacing
    step_x = max(1, round(columns / across))
    step_y = max(1, round(step_x * wide / high))
    j, i = np.meshgrid(np.arange(step_y // 2, rows, step_y), np.arange(step_x // 2, columns, step_x), indexing="ij")
    x, y = (i + 0.5) * wide, (j + 0.5) * high
    axis.quiver(
        x + right[j, i],
        y + up[j, i],
        -magnified * right[j, i],
        -magnified * up[j, i],
        length[j, i],
        cmap=colours,
        clim=(0, longest),
        angles="xy",
        scale_units="xy",
        scale=1,
        width=width,
        headwidth=3.5,
        headlength=4,
        headaxislength=3.5,
    )
    left, stop, bottom, top = plane.extent()
    axis.set_xlim(left, stop)
    axis.set_ylim(bottom, top)
