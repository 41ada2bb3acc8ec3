"""How the report's pictures look, and how they are kept small."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

PAPER_WHITE, INK, FAINT = "#ffffff", "#222222", "#9a9a9a"
MOVING, WARPED = "#ff3b30", "#ffd23f"
WITHOUT_SKIPS, WITH_SKIPS, GRIDS = "#3b6fb6", "#d95f9a", "#2a9d74"
"""One colour for each way of making a basis, in every figure; blue and pink are the paper's own (figure 8)."""

DPI = 110
WIDEST = 1500
"""Pixels; what is wider is made smaller."""
# Of a palette of 256.
_GREYS, _COLOURS = 64, 192
_GREY_TOLERANCE = 6


def new_figure(width: float, height: float) -> Figure:
    """A white figure, inches."""
    return Figure(figsize=(width, height), facecolor=PAPER_WHITE, layout="constrained")


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name.png``; the same figure gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=DPI, facecolor=figure.get_facecolor(), metadata={"Software": None})


def plain_axes(axis: Axes) -> None:
    """Two spines, small ticks, faint horizontal lines."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8, colors=INK)
    axis.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axis.set_axisbelow(True)


def boxes(axis: Axes, values: list[np.ndarray], positions: np.ndarray, colour: str, width: float) -> None:
    """Box plots: quartiles, whiskers to 1.5 times their distance, what lies beyond as dots."""
    drawn = axis.boxplot(
        values,
        positions=positions.tolist(),
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        medianprops={"color": INK, "linewidth": 1.1},
        whiskerprops={"color": colour, "linewidth": 0.9},
        capprops={"color": colour, "linewidth": 0.9},
        flierprops={"marker": ".", "markersize": 2.5, "markerfacecolor": colour, "markeredgecolor": colour},
    )
    for box in drawn["boxes"]:
        box.set(facecolor=colour, edgecolor=colour, alpha=0.75)


def compact(path: Path) -> None:
    """Make a PNG small enough to be kept in a repository: no wider than ``WIDEST``, a palette of its own colours."""
    with Image.open(path) as opened:
        if opened.mode == "P" and opened.width <= WIDEST:
            return
        image = opened.convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    _with_palette(np.asarray(image)).save(path, optimize=True)


def _with_palette(pixels: np.ndarray) -> Image.Image:
    """Greys in even steps, all other colours by median cut: a scan's many greys must not cost the arrows their colours.

    Args:
        pixels: (rows, columns, 3) uint8.
    """
    grey = np.ptp(pixels.astype(np.int16), axis=-1) <= _GREY_TOLERANCE
    steps = np.linspace(0, 255, _GREYS).round().astype(np.uint8)
    index = (pixels.mean(axis=-1) * (_GREYS - 1) / 255).round().astype(np.uint8)
    palette = np.repeat(steps, 3)
    coloured = pixels[~grey]
    if len(coloured):
        cut = Image.fromarray(coloured[None]).quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        index[~grey] = np.asarray(cut)[0] + _GREYS
        palette = np.concatenate([palette, np.array(cut.getpalette(), dtype=np.uint8)])
    few = Image.fromarray(index)
    few.putpalette(palette.tobytes())
    return few
