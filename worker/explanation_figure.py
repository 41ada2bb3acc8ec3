"""One registration's explanation as a picture: its components, its motions, and what they do to the image."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec

from eigenwarp.errors import ModelUnknownError
from eigenwarp.field import warp_segmentation
from eigenwarp.schemas.components import MotionRow
from eigenwarp.schemas.report import Explanation
from eigenwarp.volume.section import Section, sections
from worker.panels import (
    AFTER,
    BACKGROUND,
    BEFORE,
    INK,
    TARGET,
    as_png,
    determinant_bar,
    intensity_window,
    show_determinant,
    show_edges,
    show_image,
    show_legend,
    show_outlines,
)
from worker.registration import RegistrationOutputs

# The explorer page's colours for the kinds of motion, on its dark ground.
_KINDS = {
    "translation": "#6aa9e6",
    "rotation": "#eda253",
    "scaling": "#74c791",
    "shear": "#d98ac6",
    "rest": "#8d9a9d",
}
_MORE, _LESS, _OUTSIDE = "#6fc7c4", "#e58a7b", "#6d7b7e"
_COMPONENTS_SHOWN = 8
_LINE_LENGTH = 150
# Narrower than this a share's number does not fit into its part of the bar.
_NARROWEST = 0.07
_TITLES = ("before: aligned", "after: warped", "Jacobian")


def explanation_figure(outputs: RegistrationOutputs) -> bytes:
    """The largest components with share, sign and length, the shares of the motions, contours, the Jacobian.

    Returns:
        A PNG file.

    Raises:
        ModelUnknownError: the model has no basis, so that there is no explanation.
    """
    explanation = outputs.report.explanation
    if explanation is None:
        raise ModelUnknownError(f"model {outputs.report.model.name!r} has no basis to explain with")
    pair = outputs.pair
    planes = sections(pair.fixed.geometry, None if pair.fixed_labels is None else pair.fixed_labels.data)
    heights = [plane.extent()[3] for plane in planes]
    widest = max(plane.extent()[1] for plane in planes)
    column = 2.6
    height = max(column * sum(heights) / widest + 1.6, 6.2)
    figure = Figure(figsize=(6.4 + len(_TITLES) * column, height), facecolor=BACKGROUND, layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=(5.6, len(_TITLES) * column + 0.4))
    numbers = GridSpecFromSubplotSpec(2, 1, halves[0], height_ratios=(2.6, 1.2))
    _components(figure.add_subplot(numbers[0]), explanation)
    _motions(figure.add_subplot(numbers[1]), explanation)
    pictures = GridSpecFromSubplotSpec(2, len(_TITLES), halves[1], height_ratios=heights)
    axes = np.array([[figure.add_subplot(pictures[row, place]) for place in range(len(_TITLES))] for row in range(2)])
    for row, plane in zip(axes, planes, strict=True):
        _pictures(list(row), plane, outputs)
    for axis, title in zip(axes[0], _TITLES, strict=True):
        axis.set_title(title, color=INK, fontsize=11)
    determinant_bar(figure, axes[:, 2])
    show_legend(
        figure, [(BEFORE, "moving, aligned"), (AFTER, "moving, warped"), (TARGET, "fixed")], "outside lower right"
    )
    figure.suptitle(fill(explanation.description or "", _LINE_LENGTH), color=INK, fontsize=11.5)
    report = outputs.report
    figure.supxlabel(
        f"{report.model.name} {report.model.version} · refinement {report.options.refine} ·"
        " sd: standard deviations of the training cohort · Jacobian below 1: larger on the fixed side, green: folded",
        x=0.01,
        ha="left",
        color=INK,
        fontsize=9,
    )
    return as_png(figure)


def _components(axis: Axes, explanation: Explanation) -> None:
    """A bar for each of the largest components, and one for what the basis does not hold."""
    largest = sorted(explanation.components, key=lambda row: -row.share)[:_COMPONENTS_SHOWN]
    others = sum(row.share for row in explanation.components) - sum(row.share for row in largest)
    rows = [
        (f"component {row.component}", row.share, _MORE if row.coefficient >= 0 else _LESS, row.standard_deviations)
        for row in largest
    ]
    if len(explanation.components) > len(largest):
        rows.append((f"other {len(explanation.components) - len(largest)}", max(others, 0.0), _OUTSIDE, None))
    rows.append(("outside the basis", explanation.outside_basis_share, _OUTSIDE, None))
    places = np.arange(len(rows))[::-1]
    shares = [100 * share for _, share, _, _ in rows]
    axis.barh(places, shares, color=[colour for _, _, colour, _ in rows], height=0.66)
    most = max(*shares, 1.0)
    for place, share, (_, _, _, length) in zip(places, shares, rows, strict=True):
        text = f"{share:.0f} %" + ("" if length is None else f"   {length:+.1f} sd".replace("-", "−"))
        axis.text(share + 0.015 * most, place, text, color=INK, fontsize=9.5, va="center")
    axis.set_yticks(places, [name for name, *_ in rows], color=INK, fontsize=9.5)
    axis.set_xlim(0, 1.3 * most)
    axis.set_title("share of the latent difference · moving above (green), below (red) fixed", color=INK, fontsize=10)
    _bare(axis)


def _motions(axis: Axes, explanation: Explanation) -> None:
    """How the anatomy moves, as energy shares: in all, and by the components' part alone."""
    motions: list[tuple[str, MotionRow | None]] = [
        ("in all", explanation.motion),
        ("by the basis", explanation.basis_motion),
    ]
    known = [(name, motion) for name, motion in motions if motion is not None]
    axis.set_title("shares of the motion beyond the alignment", color=INK, fontsize=10)
    _bare(axis)
    axis.set_xlim(0, 1.18)
    if not known:
        axis.set_yticks([])
        axis.text(0.02, 0.5, "too little anatomy is known", color=INK, fontsize=9.5, transform=axis.transAxes)
        return
    places = np.arange(len(known))[::-1]
    for place, (_, motion) in zip(places, known, strict=True):
        begin = 0.0
        for kind, colour in _KINDS.items():
            share = float(getattr(motion.shares, kind))
            first = place == places[0]
            axis.barh(place, share, left=begin, color=colour, height=0.6, label=kind if first else None)
            if share >= _NARROWEST:
                axis.text(
                    begin + share / 2,
                    place,
                    f"{100 * share:.0f} %",
                    color="#111111",
                    fontsize=9,
                    ha="center",
                    va="center",
                )
            begin += share
        axis.text(1.015, place, f"{motion.rms_mm:.1f} mm", color=INK, fontsize=9.5, va="center")
    axis.set_yticks(places, [name for name, _ in known], color=INK, fontsize=9.5)
    axis.set_ylim(-0.6, len(known) - 0.4)
    axis.legend(
        loc="upper center",
        bbox_to_anchor=(0.45, 0.02),
        ncols=len(_KINDS),
        frameon=False,
        labelcolor=INK,
        fontsize=8.5,
        handlelength=1,
        columnspacing=1,
    )


def _pictures(row: list[Axes], plane: Section, outputs: RegistrationOutputs) -> None:
    pair = outputs.pair
    window = intensity_window(pair.fixed)
    moving = pair.moving_labels
    # Warped here, for a whole head's warped labels lie on another grid than the crop that is shown.
    before, after = (
        None if moving is None else warp_segmentation(moving, field) for field in (outputs.initial_field, outputs.field)
    )
    for axis in row:
        axis.set_facecolor("black")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_aspect("equal")
    for axis, labels, colour in ((row[0], before, BEFORE), (row[1], after, AFTER)):
        show_image(axis, plane, pair.fixed, window)
        show_outlines(axis, plane, pair.fixed_labels, TARGET)
        show_outlines(axis, plane, labels, colour)
    show_determinant(row[2], plane, outputs.jacobian.data)
    show_outlines(row[2], plane, pair.fixed_labels, "#222222")
    show_edges(row[0], plane)
    row[0].set_ylabel(plane.name, color=INK, fontsize=11)


def _bare(axis: Axes) -> None:
    axis.set_facecolor(BACKGROUND)
    axis.set_xticks([])
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
