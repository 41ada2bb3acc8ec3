"""Pictures that a person can judge a deformation by."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from eigenwarp.drawing import DISPLACEMENT_COLOURS, draw_arrows
from eigenwarp.errors import ModelUnknownError
from eigenwarp.field import DisplacementField, jacobian_determinant, warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.choices import ScaleUnit
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.section import Section, sections
from worker.components import component_field
from worker.panels import (
    AFTER,
    BACKGROUND,
    BEFORE,
    INK,
    TARGET,
    as_png,
    colour_bar,
    determinant_bar,
    intensity_window,
    show_determinant,
    show_edges,
    show_image,
    show_legend,
    show_outlines,
)


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
    of_moving, of_fixed = intensity_window(before), intensity_window(fixed)
    deformation = outputs.field.displacement - outputs.initial_field.displacement
    longest = _longest(planes, deformation)
    for row, plane in zip(axes, planes, strict=True):
        for axis, image, window in zip(
            row,
            (before, fixed, outputs.warped, fixed, fixed, fixed),
            (of_moving, of_fixed, of_moving, *3 * (of_fixed,)),
            strict=False,
        ):
            show_image(axis, plane, image, window)
        show_outlines(row[0], plane, labels_before, BEFORE)
        show_outlines(row[1], plane, fixed_segmentation, TARGET)
        show_outlines(row[2], plane, labels_after, AFTER)
        for axis, labels, colour in ((row[3], labels_before, BEFORE), (row[4], labels_after, AFTER)):
            show_outlines(axis, plane, fixed_segmentation, TARGET)
            show_outlines(axis, plane, labels, colour)
        draw_arrows(row[5], plane, deformation, longest)
        show_determinant(row[6], plane, outputs.jacobian.data)
        show_outlines(row[6], plane, fixed_segmentation, "#222222")
    _displacement_bar(figure, axes[:, 5], longest)
    determinant_bar(figure, axes[:, 6])
    report = outputs.report
    colours = [(BEFORE, "moving labels, aligned"), (AFTER, "moving labels, warped"), (TARGET, "fixed labels")]
    show_legend(figure, colours, "outside upper right")
    figure.suptitle(_headline(outputs), color=INK, fontsize=13)
    figure.supxlabel(
        f"{report.model.name} {report.model.version} · refinement {report.options.refine} · arrows to scale, from where"
        " tissue was to where it is · Jacobian below 1: larger on the fixed side, green: folded",
        color=INK,
        fontsize=9,
    )
    return as_png(figure)


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
    window, longest = intensity_window(template), _longest(planes, field.displacement)
    jacobian = jacobian_determinant(field)
    for row, plane in zip(axes, planes, strict=True):
        for axis, image in zip(row, (template, moved, template, template), strict=False):
            show_image(axis, plane, image, window)
        for axis in (row[0], row[2]):
            show_outlines(axis, plane, labels, BEFORE)
        for axis in (row[1], row[2]):
            show_outlines(axis, plane, moved_labels, AFTER)
        draw_arrows(row[3], plane, field.displacement, longest)
        show_determinant(row[4], plane, jacobian)
    _displacement_bar(figure, axes[:, 3], longest)
    determinant_bar(figure, axes[:, 4])
    show_legend(figure, [(BEFORE, "template"), (AFTER, "moved along the component")], "outside upper right")
    length = f"{scale:+g} sd" if unit == "sd" else f"λ = {scale:+g}"
    figure.suptitle(f"{model.bundle.name} component {component}, {length}", color=INK, fontsize=13)
    return as_png(figure)


def _canvas(planes: tuple[Section, Section], titles: tuple[str, ...]) -> tuple[Figure, npt.NDArray[np.object_]]:
    extents = [plane.extent() for plane in planes]
    widest = max(extent[1] for extent in extents)
    heights = [extent[3] for extent in extents]
    width = 3.0
    figure = Figure(
        figsize=(width * len(titles) + 0.6, width * sum(heights) / widest + 1.5),
        facecolor=BACKGROUND,
        layout="constrained",
    )
    axes = figure.subplots(2, len(titles), gridspec_kw={"height_ratios": heights}, squeeze=False)
    for row, plane in zip(axes, planes, strict=True):
        for axis in row:
            axis.set_facecolor("black")
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_aspect("equal")
        show_edges(row[0], plane)
        row[0].set_ylabel(plane.name, color=INK, fontsize=11)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, color=INK, fontsize=11)
    return figure, axes


def _longest(planes: tuple[Section, Section], deformation: npt.NDArray[np.floating]) -> float:
    lengths = [np.linalg.norm(np.asarray(plane.take(deformation), dtype=np.float64), axis=-1) for plane in planes]
    return max(float(max(length.max() for length in lengths)), 1e-3)


def _displacement_bar(figure: Figure, axes: npt.NDArray[np.object_], longest: float) -> None:
    colour_bar(figure, axes, ScalarMappable(Normalize(0, longest), DISPLACEMENT_COLOURS), "mm")


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


__all__ = ["Registered", "component_figure", "registration_figure"]
