"""A subject under deformations, drawn as in the paper's figures 2, 3, 4 and 7."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.ndimage import gaussian_filter

from eigenwarp.drawing import draw_arrows, draw_image, draw_outline
from eigenwarp.field import DisplacementField, field_from_model, warp_volume
from eigenwarp.volume import Volume
from eigenwarp.volume.section import Section, sections
from training.experiment.pictures import INK, MOVING, WARPED, new_figure
from training.experiment.stage import Workplace

ARROW_COLOURS = "cool"
_MARGIN_MM = 8.0
_ARROWS_ACROSS = 14
_OUTLINE = 1.5
_SHAFT = 0.009
_LONGEST_ARROW_MM = 6.0
# Voxels: rounds the corners of a binary mask, whose outline would show its voxels.
_SMOOTHING = 0.6


@dataclass(frozen=True, eq=False)
class Drawn:
    """A subject on the model's grid, as it is drawn.

    Args:
        name: of the subject.
        image: intensities 0 to 1.
        memberships: of each label, 0 to 1, slightly smoothed.
        planes: the sagittal and the coronal section through the most labelled voxels.
    """

    name: str
    image: Volume
    memberships: tuple[Volume, ...]
    planes: tuple[Section, Section]

    def field(self, displacement: npt.NDArray[np.floating]) -> DisplacementField:
        """A displacement on the model's grid, (X, Y, Z, 3) in voxels, laid over this subject."""
        grid = self.image.geometry
        return field_from_model(displacement, grid, grid, grid)


def validation_subject(workplace: Workplace, index: int) -> Drawn:
    """One validation subject, where it lies in the world."""
    prepared = workplace.prepared_validation
    grid = workplace.model.preprocessing.grid_for(workplace.validation.load_volume(index))
    labels = prepared.labels[index].numpy()
    present = [label for label in range(1, len(workplace.model.labels) + 1) if (labels == label).any()]
    return Drawn(
        name=prepared.names[index],
        image=Volume(prepared.images[index, 0].numpy(), grid),
        memberships=tuple(
            Volume(gaussian_filter((labels == label).astype(np.float32), _SMOOTHING), grid) for label in present
        ),
        planes=sections(grid, labels, _MARGIN_MM),
    )


def three_subjects(workplace: Workplace) -> tuple[int, ...]:
    """Indices of three validation subjects, spread evenly over the sorted names and so chosen by nobody."""
    count = len(workplace.prepared_validation)
    return tuple(sorted({0, count // 2, count - 1}))


def component_grid(
    subject: Drawn, fields: list[DisplacementField], titles: list[str], heading: str, columns: int = 4
) -> Figure:
    """Each field's effect on a subject: sagittal above coronal, moving outlines red, warped ones gold, arrows by norm.

    Args:
        fields: on the subject's grid; the arrows of all of them share their colours.
        titles: one for each field.
        columns: fields side by side; a further row takes the next ones.
    """
    planes = subject.planes
    rows = -(-len(fields) // columns)
    heights = [plane.extent()[3] for plane in planes]
    widest = max(plane.extent()[1] for plane in planes)
    column = 2.75
    figure = new_figure(column * columns + 0.9, column * rows * (sum(heights) / widest + 0.16) + 0.8)
    axes = figure.subplots(2 * rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights * rows})
    longest = max(_longest(planes, field) for field in fields)
    for axis in axes.flat:
        axis.set_axis_off()
    for place, (field, title) in enumerate(zip(fields, titles, strict=True)):
        row, across = divmod(place, columns)
        magnified = _magnification(_longest(planes, field))
        for part, plane in enumerate(planes):
            axis = axes[2 * row + part, across]
            _panel(axis, subject, plane, subject.image, field)
            draw_arrows(
                axis,
                plane,
                field.displacement,
                longest,
                across=_ARROWS_ACROSS,
                colours=ARROW_COLOURS,
                width=_SHAFT,
                magnified=magnified,
            )
            draw_edges(axis, plane)
            if magnified > 1:
                _remark(axis, f"arrows ×{magnified:g}")
            if across == 0:
                axis.set_ylabel(plane.name, fontsize=9, color=INK)
        axes[2 * row, across].set_title(title, fontsize=9.5, color=INK)
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, longest), ARROW_COLOURS),
        ax=axes.ravel().tolist(),
        fraction=0.03,
        pad=0.015,
        panchor=False,
        aspect=45,
    )
    bar.set_label("displacement (mm)", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    outline_legend(figure, "moving labels", "warped labels")
    figure.suptitle(heading, fontsize=11.5, color=INK, x=0.01, ha="left")
    return figure


def strength_rows(
    subject: Drawn, rows: list[tuple[str, list[tuple[str, DisplacementField]]]], plane: Section, heading: str
) -> Figure:
    """The subject's *deformed* image under fields of growing strength, a row for each series (figure 3).

    Args:
        rows: a label, and the titles and fields from left to right.
    """
    _, across, _, high = plane.extent()
    count = max(len(series) for _, series in rows)
    column = 2.35
    figure = new_figure(column * count + 0.4, len(rows) * (column * high / across + 0.32) + 0.75)
    axes = figure.subplots(len(rows), count, squeeze=False)
    for row, (label, series) in zip(axes, rows, strict=True):
        for axis in row:
            axis.set_axis_off()
        for axis, (title, field) in zip(row, series, strict=False):
            _panel(axis, subject, plane, warp_volume(subject.image, field), field)
            draw_edges(axis, plane)
            axis.set_title(title, fontsize=9, color=INK)
        row[0].set_ylabel(label, fontsize=9.5, color=INK)
    outline_legend(figure, "labels of the input", "labels, deformed")
    figure.suptitle(heading, fontsize=11.5, color=INK, x=0.01, ha="left")
    return figure


def outline_legend(figure: Figure, moving: str, warped: str) -> None:
    """What red and gold mean, at the upper right."""
    lines = [Line2D([], [], color=colour, linewidth=2.2) for colour in (MOVING, WARPED)]
    figure.legend(lines, [moving, warped], loc="outside upper right", ncols=2, frameon=False, fontsize=9)


def draw_edges(axis: Axes, plane: Section) -> None:
    """The anatomical directions at the picture's edges."""
    left, right, top, bottom = plane.edges
    for x, y, letter in ((0.035, 0.5, left), (0.965, 0.5, right), (0.5, 0.94, top), (0.5, 0.06, bottom)):
        axis.text(
            x, y, letter, color="#bfe9ff", fontsize=7.5, ha="center", va="center", transform=axis.transAxes, alpha=0.9
        )


def _panel(axis: Axes, subject: Drawn, plane: Section, image: Volume, field: DisplacementField) -> None:
    # Only the axis' lines go: its label, and the ground behind the picture, stay.
    axis.set_axis_on()
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.set_aspect("equal")
    draw_image(axis, plane, image.data, (0.0, float(np.percentile(subject.image.data, 99.7))))
    for membership in subject.memberships:
        draw_outline(axis, plane, membership.data, MOVING, _OUTLINE)
    for membership in subject.memberships:
        draw_outline(axis, plane, warp_volume(membership, field).data, WARPED, _OUTLINE)


def _remark(axis: Axes, text: str) -> None:
    axis.text(0.985, 0.025, text, color="white", fontsize=7.5, ha="right", va="bottom", transform=axis.transAxes)


def _longest(planes: tuple[Section, Section], field: DisplacementField) -> float:
    """The longest displacement in two sections, mm."""
    norms = [np.linalg.norm(np.asarray(plane.take(field.displacement), np.float64), axis=-1).max() for plane in planes]
    return max(float(max(norms)), 1e-3)


def _magnification(longest: float) -> float:
    """How many times to lengthen arrows, so that those of a weak component can be seen."""
    return next((float(times) for times in (5, 4, 3, 2, 1.5) if times * longest <= _LONGEST_ARROW_MM), 1.0)
