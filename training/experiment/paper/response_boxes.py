"""Box plots of coefficients' changes, the transformations side by side (figures 5 and 8)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from training.experiment.pictures import boxes, new_figure, plain_axes

SHOWN = 10
"""The paper's first ten components."""


def shown_components(values: Mapping[tuple[str, str], npt.NDArray[np.floating]]) -> int:
    """How many components all bases can show, ten at most."""
    return min(SHOWN, *(int(array.shape[1]) for array in values.values()))


def response_figure(
    transformations: list[str],
    bases: list[str],
    colours: Mapping[str, str],
    values: Mapping[tuple[str, str], npt.NDArray[np.floating]],
    quantity: str,
) -> Figure:
    """A panel for each transformation, a pair of boxes for each component.

    Args:
        values: by transformation and basis, (subjects, components).
        quantity: what they are, with the unit.
    """
    shown = shown_components(values)
    figure = new_figure(3.9 * len(transformations), 3.4)
    axes = figure.subplots(1, len(transformations), squeeze=False, sharey=True)[0]
    number = np.arange(1, shown + 1)
    width = 0.8 / len(bases)
    for axis, transformation in zip(axes, transformations, strict=True):
        plain_axes(axis)
        for place, basis in enumerate(bases):
            offset = (place - (len(bases) - 1) / 2) * width
            columns = list(values[transformation, basis][:, :shown].T)
            boxes(axis, columns, number + offset, colours[basis], 0.85 * width)
        axis.set_title(transformation, fontsize=10)
        axis.set_xticks(number, [str(n) for n in number])
        axis.set_xlim(0.4, shown + 0.6)
        axis.set_xlabel("component", fontsize=9)
    axes[0].set_ylim(bottom=0)
    axes[0].set_ylabel(quantity, fontsize=9)
    handles = [Patch(facecolor=colours[basis], alpha=0.75, label=basis) for basis in bases]
    axes[-1].legend(handles=handles, frameon=False, fontsize=9, loc="upper right")
    return figure
