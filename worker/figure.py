"""Pictures that a person can judge a deformation by."""

import io
from typing import Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eigenwarp.drawing import DISPLACEMENT_COLOURS, draw_arrows, draw_image, draw_outline
from eigenwarp.errors import ModelUnknownError
from eigenwarp.field import DisplacementField, jacobian_determinant, warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.choices import ScaleUnit
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.section import Section, sections
from worker.components import component_field

BEFORE, AFTER, TARGET = "#ff4d4d", "#ffd23f", "#3fd0ff"
_FOLDED = "#00e05a"
_BACKGROUND, _INK = "#111111", "#eeeeee"
_DPI = 110
# Shown range of the determinant, symmetric in its logarithm.
_JACOBIAN_SPAN = 2.0

Window = tuple[float, float]


class Registered(Protocol):
    """What a registration gave, as far as it can be seen; see ``RegistrationOutputs``."""

    @property
    def field(self) -> DisplacementField: ...

    @property
    def initial_field(self) -> DisplacementField: ...

    @property
    def warped(self) -> Volume: ...

    @property
    def jacobian(self) -> Volume: ...

    @property
    def report(self) -> Report: ...


def registration_figure(
    moving: Volume,
    fixed: Volume,
    moving_segmentation: Segmentation | None,
    fixed_segmentation: Segmentation | None,
    outputs: Registered,
) -> bytes:
    """Moving (initially aligned), fixed and warped image, contours before and after, displacement and Jacobian.

    Sagittal above, coronal below, through the fixed image's largest section, all on the fixed grid in true proportions.

    Returns:
        A PNG file.
    """
    before = warp_volume(moving, outputs.initial_field)
    labels_before = warp_segmentation(moving_segmentation, outputs.initial_field) if moving_segmentation else None
    labels_after = warp_segmentation(moving_segmentation, outputs.field) if moving_segmentation else None
    planes = sections(fixed.geometry, None if fixed_segmentation is None else fixed_segmentation.data)
    titles = (
        "moving, aligned",
        "fixed",
        "warped",
        "before, on fixed",
        "after, on fixed",
        "tissue displacement",
        "Jacobian",
    )
    figure, axes = _canvas(planes, titles)
    of_moving, of_fixed = _window(before), _window(fixed)
    deformation = outputs.field.displacement - outputs.initial_field.displacement
    longest = _longest(planes, deformation)
    for row, plane in zip(axes, planes, strict=True):
        for axis, image, window in zip(
            row,
            (before, fixed, outputs.warped, fixed, fixed, fixed),
            (of_moving, of_fixed, of_moving, *3 * (of_fixed,)),
            strict=False,
        ):
            _image(axis, plane, image, window)
        _contour(row[0], plane, labels_before, BEFORE)
        _contour(row[1], plane, fixed_segmentation, TARGET)
        _contour(row[2], plane, labels_after, AFTER)
        for axis, labels, colour in ((row[3], labels_before, BEFORE), (row[4], labels_after, AFTER)):
            _contour(axis, plane, fixed_segmentation, TARGET)
            _contour(axis, plane, labels, colour)
        draw_arrows(row[5], plane, deformation, longest)
        _determinant(row[6], plane, outputs.jacobian.data)
        _contour(row[6], plane, fixed_segmentation, "#222222")
    _displacement_bar(figure, axes[:, 5], longest)
    _jacobian_bar(figure, axes[:, 6])
    report = outputs.report
    _legend(figure, [(BEFORE, "moving labels, aligned"), (AFTER, "moving labels, warped"), (TARGET, "fixed labels")])
    figure.suptitle(_headline(outputs), color=_INK, fontsize=13)
    figure.supxlabel(
        f"{report.model.name} {report.model.version} · refinement {report.options.refine} · arrows to scale, from where"
        " tissue was to where it is · Jacobian below 1: larger on the fixed side, green: folded",
        color=_INK,
        fontsize=9,
    )
    return _png(figure)


def component_figure(model: RegistrationModel, component: int, scale: float, unit: ScaleUnit = "sd") -> bytes:
    """The template moved along a component: contours before and after, displacement, Jacobian (paper, Fig. 2).

    Returns:
        A PNG file.

    Raises:
        ModelUnknownError: the model has no basis or no template.
        ComponentOutOfRangeError: no such component.
    """
    template, labels = model.bundle.template, model.bundle.template_segmentation
    if template is None:
        raise ModelUnknownError(f"model {model.bundle.name!r} has no template to draw")
    field = component_field(model, component, scale, unit)
    moved = warp_volume(template, field)
    moved_labels = warp_segmentation(labels, field, "linear") if labels is not None else None
    planes = sections(template.geometry, None if labels is None else labels.data)
    figure, axes = _canvas(planes, ("template", "moved", "contours", "tissue displacement", "Jacobian"))
    window, longest = _window(template), _longest(planes, field.displacement)
    jacobian = jacobian_determinant(field)
    for row, plane in zip(axes, planes, strict=True):
        for axis, image in zip(row, (template, moved, template, template), strict=False):
            _image(axis, plane, image, window)
        for axis in (row[0], row[2]):
            _contour(axis, plane, labels, BEFORE)
        for axis in (row[1], row[2]):
            _contour(axis, plane, moved_labels, AFTER)
        draw_arrows(row[3], plane, field.displacement, longest)
        _determinant(row[4], plane, jacobian)
    _displacement_bar(figure, axes[:, 3], longest)
    _jacobian_bar(figure, axes[:, 4])
    _legend(figure, [(BEFORE, "template"), (AFTER, "moved along the component")])
    length = f"{scale:+g} sd" if unit == "sd" else f"λ = {scale:+g}"
    figure.suptitle(f"{model.bundle.name} component {component}, {length}", color=_INK, fontsize=13)
    return _png(figure)


def _canvas(planes: tuple[Section, Section], titles: tuple[str, ...]) -> tuple[Figure, npt.NDArray[np.object_]]:
    extents = [plane.extent() for plane in planes]
    widest = max(extent[1] for extent in extents)
    heights = [extent[3] for extent in extents]
    width = 3.0
    figure = Figure(
        figsize=(width * len(titles) + 0.6, width * sum(heights) / widest + 1.5),
        facecolor=_BACKGROUND,
        layout="constrained",
    )
    axes = figure.subplots(2, len(titles), gridspec_kw={"height_ratios": heights}, squeeze=False)
    for row, plane in zip(axes, planes, strict=True):
        for axis in row:
            axis.set_facecolor("black")
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_aspect("equal")
        _edges(row[0], plane)
        row[0].set_ylabel(plane.name, color=_INK, fontsize=11)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, color=_INK, fontsize=11)
    return figure, axes


def _image(axis: Axes, plane: Section, volume: Volume, window: Window) -> None:
    draw_image(axis, plane, volume.data, window)


def _contour(axis: Axes, plane: Section, labels: Segmentation | None, colour: str) -> None:
    """The outline of every label, as a hand would draw it."""
    if labels is not None:
        for label in labels.labels:
            draw_outline(axis, plane, labels.data == label, colour)


def _determinant(axis: Axes, plane: Section, jacobian: npt.NDArray[np.float32]) -> None:
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


def _longest(planes: tuple[Section, Section], deformation: npt.NDArray[np.floating]) -> float:
    lengths = [np.linalg.norm(np.asarray(plane.take(deformation), dtype=np.float64), axis=-1) for plane in planes]
    return max(float(max(length.max() for length in lengths)), 1e-3)


def _displacement_bar(figure: Figure, axes: npt.NDArray[np.object_], longest: float) -> None:
    _bar(figure, axes, ScalarMappable(Normalize(0, longest), DISPLACEMENT_COLOURS), "mm")


def _jacobian_bar(figure: Figure, axes: npt.NDArray[np.object_]) -> None:
    bar = _bar(figure, axes, ScalarMappable(_jacobian_norm(), "RdBu"), "")
    ticks = [0.5, 0.7, 1, 1.4, 2]
    bar.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    bar.set_yticks([], minor=True)


def _bar(figure: Figure, axes: npt.NDArray[np.object_], mappable: ScalarMappable, label: str) -> Axes:
    bar = figure.colorbar(mappable, ax=axes.tolist(), fraction=0.06, pad=0.02, aspect=30)
    bar.ax.tick_params(colors=_INK, labelsize=8)
    bar.ax.set_title(label, color=_INK, fontsize=8)
    return bar.ax


def _edges(axis: Axes, plane: Section) -> None:
    left, right, top, bottom = plane.edges
    for x, y, letter in ((0.03, 0.5, left), (0.97, 0.5, right), (0.5, 0.96, top), (0.5, 0.04, bottom)):
        axis.text(x, y, letter, color="#9be7ff", fontsize=9, ha="center", va="center", transform=axis.transAxes)


def _legend(figure: Figure, entries: list[tuple[str, str]]) -> None:
    lines = [Line2D([], [], color=colour, linewidth=2, label=text) for colour, text in entries]
    figure.legend(
        handles=lines, loc="outside upper right", ncols=len(lines), frameon=False, labelcolor=_INK, fontsize=9
    )


def _headline(outputs: Registered) -> str:
    report = outputs.report
    parts = [
        f"{row.name or row.label}: Dice {row.dice_before:.2f} → {row.dice_after:.2f}"
        for row in report.labels.rows
        if row.dice_before is not None and row.dice_after is not None
    ]
    if report.similarity.before is not None and report.similarity.after is not None:
        parts.append(f"correlation {report.similarity.before:.2f} → {report.similarity.after:.2f}")
    return " · ".join([*parts, f"J ≤ 0: {report.jacobian.folding_share:.2%}"])


def _window(volume: Volume) -> Window:
    low, high = np.percentile(volume.data, (1, 99.5))
    return float(low), float(max(high, low + 1e-6))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # No program name or date: the same input gives the same bytes.
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return buffer.getvalue()


__all__ = ["Registered", "component_figure", "registration_figure"]
