"""What the pictures of a deformation are made of: outlines, determinants, legends, all on a dark ground."""

import io
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eigenwarp.drawing import draw_image, draw_outline
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.section import Section

BEFORE, AFTER, TARGET = "#ff4d4d", "#ffd23f", "#3fd0ff"
BACKGROUND, INK = "#111111", "#eeeeee"
_FOLDED = "#00e05a"
_DPI = 110
# Shown range of the determinant, symmetric in its logarithm.
_JACOBIAN_SPAN = 2.0

Window = tuple[float, float]


def show_image(axis: Axes, plane: Section, volume: Volume, window: Window) -> None:
    """A section of an image between two intensities."""
    draw_image(axis, plane, volume.data, window)


def show_outlines(axis: Axes, plane: Section, labels: Segmentation | None, colour: str) -> None:
    """The outline of every label, as a hand would draw it."""
    if labels is not None:
        for label in labels.labels:
            draw_outline(axis, plane, labels.data == label, colour)


def show_determinant(axis: Axes, plane: Section, jacobian: npt.NDArray[np.float32]) -> None:
    """Local change of volume; what is folded stands out in green."""
    shown = np.asarray(plane.take(jacobian), dtype=np.float32)
    axis.imshow(
        np.clip(shown, 1e-3, None),
        cmap="RdBu",
        norm=_jacobian_norm(),
        origin="lower",
        extent=plane.extent(),
        interpolation="nearest",
    )
    if (shown <= 0).any():
        folded = np.where(shown > 0, np.nan, 1.0)
        axis.imshow(
            folded, cmap=ListedColormap([_FOLDED]), origin="lower", extent=plane.extent(), interpolation="nearest"
        )


def _jacobian_norm() -> LogNorm:
    return LogNorm(1 / _JACOBIAN_SPAN, _JACOBIAN_SPAN)


def determinant_bar(figure: Figure, axes: npt.NDArray[np.object_]) -> None:
    """The colours of ``show_determinant``."""
    bar = colour_bar(figure, axes, ScalarMappable(_jacobian_norm(), "RdBu"), "")
    ticks = [0.5, 0.7, 1, 1.4, 2]
    bar.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    bar.set_yticks([], minor=True)


def colour_bar(figure: Figure, axes: npt.NDArray[np.object_], mappable: ScalarMappable, label: str) -> Axes:
    """A bar of colours beside a column of sections."""
    bar = figure.colorbar(mappable, ax=axes.tolist(), fraction=0.06, pad=0.02, aspect=30)
    bar.ax.tick_params(colors=INK, labelsize=8)
    bar.ax.set_title(label, color=INK, fontsize=8)
    return bar.ax


def show_edges(axis: Axes, plane: Section) -> None:
    """The directions at the picture's edges."""
    left, right, top, bottom = plane.edges
    for x, y, letter in ((0.03, 0.5, left), (0.97, 0.5, right), (0.5, 0.96, top), (0.5, 0.04, bottom)):
        axis.text(x, y, letter, color="#9be7ff", fontsize=9, ha="center", va="center", transform=axis.transAxes)


def show_legend(
    figure: Figure, entries: list[tuple[str, str]], place: Literal["outside upper right", "outside lower right"]
) -> None:
    """Colours and what they stand for."""
    lines = [Line2D([], [], color=colour, linewidth=2, label=text) for colour, text in entries]
    figure.legend(handles=lines, loc=place, ncols=len(lines), frameon=False, labelcolor=INK, fontsize=9)


def intensity_window(volume: Volume) -> Window:
    """The intensities that are black and white."""
    low, high = np.percentile(volume.data, (1, 99.5))
    return float(low), float(max(high, low + 1e-6))


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    # No program name or date: the same input gives the same bytes.
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return buffer.getvalue()
