"""Scree plots: each component's share of the variance, and the cumulative share."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.experiment.pictures import INK, plain_axes


def draw_scree(
    figure: Figure,
    ratios: Mapping[str, npt.NDArray[np.floating]],
    colours: Mapping[str, str],
    paper: Mapping[int, float],
) -> None:
    """Fill a figure.

    Args:
        ratios: per cent of the variance by component, for each basis.
        colours: of each basis.
        paper: cumulative per cent by number of components.
    """
    share, cumulative = figure.subplots(1, 2)
    for axis in (share, cumulative):
        plain_axes(axis)
        axis.set_xlabel("component", fontsize=9)
    width = 0.8 / len(ratios)
    for place, (name, row) in enumerate(ratios.items()):
        number = np.arange(1, len(row) + 1)
        offset = (place - (len(ratios) - 1) / 2) * width
        share.bar(number + offset, row, width, color=colours[name], label=name)
        cumulative.plot(number, np.cumsum(row), color=colours[name], marker="o", markersize=3, label=name)
    if paper:
        cumulative.plot(list(paper), list(paper.values()), "D", color=INK, markersize=5, label="paper, without skips")
    share.set_ylabel("share of the variance (%)", fontsize=9)
    cumulative.set_ylabel("cumulative share (%)", fontsize=9)
    cumulative.set_ylim(0, 102)
    share.legend(frameon=False, fontsize=8)
    cumulative.legend(frameon=False, fontsize=8, loc="lower right")
