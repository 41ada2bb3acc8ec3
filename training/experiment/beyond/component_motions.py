"""Each component's motion, said in elementary motions and in one line; what the whole cohort's motion is made of."""

from textwrap import fill

import numpy as np
import numpy.typing as npt

from eigenwarp.explanation import KINDS, MotionEnergy, Pooled, bootstrap_interval, describe_motion
from eigenwarp.field import DisplacementField
from eigenwarp.field.motion import Motion, decompose_motion
from training.experiment.beyond.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    VERMILION,
    Window,
    new_figure,
    save,
    tidy,
)
from training.experiment.beyond.effects import Effect, component_effects, component_fields, occupancy
from training.experiment.beyond.measured import anatomy_region, cohort_fields, mean_anatomy, model_grid
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace

SHOWN_SHAPES, SHOWN_DEVIATIONS = 6, 2.0
_COLOURS = (BLUE, ORANGE, GREEN, PINK, GREY)
_GROUPS = (
    ("translation", slice(0, 1)),
    ("rotation", slice(1, 2)),
    ("scaling", slice(2, 3)),
    ("shear", slice(3, 4)),
    ("non-affine rest", slice(4, 5)),
    ("rigid: translation and rotation", slice(0, 2)),
    ("affine: rigid, scaling and shear", slice(0, 4)),
)


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Decompose the components' and the subjects' fields."""
    effects = component_effects(workplace, 1.0)
    on_progress(0.3)
    train, validation = (
        [_subject_motion(workplace, displacement) for displacement in fields] for fields in cohort_fields(workplace)
    )
    on_progress(0.7)
    _draw_shares(workplace, effects)
    _draw_shapes(workplace, effects)
    energy = MotionEnergy.of(train).shares()
    first = describe(effects[0])
    return Findings(
        text=(
            f"Component 1 at +1 standard deviation: {first}. Of the energy with which the training subjects differ "
            f"from their mean, {energy[:2].sum():.0%} is rigid (translation {energy[0]:.0%}, rotation "
            f"{energy[1]:.0%}), {energy[:4].sum():.0%} affine and {energy[4]:.0%} neither. The paper names its "
            "components by eye: rotation in the sagittal plane, two translations with shrinking, scaling."
        ),
        tables=(_components(workplace, effects), _cohort(workplace, train, validation)),
        figures=(
            Figure(
                "component-motions",
                "Kinds of motion in each component, as shares of the energy over the mean anatomy. Behind each bar "
                "stands the root mean square of the displacement at +1 standard deviation.",
            ),
            Figure(
                "component-shapes",
                f"The mean's outline (white) moved along the first components by −{SHOWN_DEVIATIONS:g} (blue) and "
                f"+{SHOWN_DEVIATIONS:g} standard deviations (orange), over the template, which stays; below, the "
                "automatic description.",
            ),
        ),
    )


def describe(effect: Effect) -> str:
    """The component in one line."""
    return describe_motion(effect.motion, {label.name: label.change_percent for label in effect.labels})


def _subject_motion(workplace: Workplace, over_anatomy: npt.NDArray[np.float32]) -> Motion:
    """Of one subject's field (voxels, 3), mm along the grid's axes."""
    grid, region = model_grid(workplace.model), anatomy_region(workplace)
    displacement = np.zeros((*grid.shape, 3), dtype=np.float32)
    displacement[region] = over_anatomy @ (grid.affine[:3, :3] / grid.spacing).T
    return decompose_motion(DisplacementField(displacement, grid), region)


def _components(workplace: Workplace, effects: tuple[Effect, ...]) -> Table:
    ratios = workplace.model.basis.explained_variance_ratio
    rows: list[tuple[Cell, ...]] = []
    for number, effect in enumerate(effects, start=1):
        m = effect.motion
        shares = (m.translation_share, m.rotation_share, m.scaling_share, m.shear_share, m.rest_share)
        rows.append(
            (
                number,
                100 * float(ratios[number - 1]),
                m.rms_mm,
                *(100 * share for share in shares),
                *m.translation_mm,
                m.rotation_degrees,
                *m.rotation_axis,
                100 * (m.scaling - 1),
                describe(effect),
            )
        )
    return Table(
        name="component-motions",
        title="What each component does to the mean anatomy at +1 standard deviation",
        columns=(
            "Component",
            "Variance (%)",
            "RMS displacement (mm)",
            *(f"{kind.capitalize()} (% of energy)" for kind in KINDS),
            "Translation R (mm)",
            "Translation A (mm)",
            "Translation S (mm)",
            "Rotation (°)",
            "Axis R",
            "Axis A",
            "Axis S",
            "Scaling (%)",
            "In words",
        ),
        rows=tuple(rows),
        note=(
            "The motion of the anatomy is the inverse of the field that warps it; R, A, S are towards the patient's "
            "right, anterior and superior. The sign of a component is arbitrary: at −1 standard deviation it does "
            "about the opposite. Shares are of this anatomy's motion; over another region they differ."
        ),
    )


def _cohort(workplace: Workplace, train: list[Motion], validation: list[Motion]) -> Table:
    random = np.random.default_rng(workplace.seed)
    rows: list[tuple[Cell, ...]] = []
    for group, motions in (("training", train), ("validation", validation)):
        whole = MotionEnergy.of(motions).energies
        for placed, energies in (("as cropped", whole), ("centred", whole * np.array([0, 1, 1, 1, 1]))):
            for name, columns in _GROUPS:
                if placed == "centred" and name == "translation":
                    continue
                found = bootstrap_interval(energies, random, Pooled(columns))
                rows.append((group, placed, name, 100 * found.estimate, 100 * found.low, 100 * found.high))
    return Table(
        name="cohort-motion-energy",
        title="What the cohort's deformations are made of",
        columns=("Subjects", "Position", "Kind of motion", "Share of energy (%)", "95 % from", "95 % to"),
        rows=tuple(rows),
        note=(
            "Each subject's field to the mean, D(E(X) − mean), over the mean anatomy; energies added over the "
            "subjects, intervals by drawing subjects again. Where the scan was cropped decides the translation, so the "
            "second half of each group leaves it out. What the network does not decode is not in it."
        ),
    )


def _draw_shares(workplace: Workplace, effects: tuple[Effect, ...]) -> None:
    figure = new_figure(9, 1.6 + 0.24 * len(effects), "Kinds of motion in each component")
    axis = figure.subplots()
    numbers = np.arange(1, len(effects) + 1)
    start = np.zeros(len(effects))
    for place, (kind, colour) in enumerate(zip(KINDS, _COLOURS, strict=True)):
        motions = [effect.motion for effect in effects]
        shares = 100 * np.array([getattr(motion, f"{kind}_share") for motion in motions])
        label = "non-affine rest" if place == 4 else kind
        axis.barh(numbers, shares, left=start, color=colour, label=label, height=0.8)
        start += shares
    for number, effect in zip(numbers, effects, strict=True):
        axis.text(101, float(number), f"{effect.motion.rms_mm:.2f} mm", fontsize=8, va="center")
    axis.set_ylim(len(effects) + 0.6, 0.4)
    axis.set_yticks(numbers)
    axis.set_xlim(0, 110)
    tidy(axis, "", "share of the motion's energy at +1 standard deviation (%)", "component")
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    save(figure, workplace.figures, "component-motions")


def _draw_shapes(workplace: Workplace, effects: tuple[Effect, ...]) -> None:
    count = min(SHOWN_SHAPES, len(effects))
    anatomy, template = mean_anatomy(workplace), workplace.model.bundle.template
    window = Window(anatomy.geometry, anatomy.data > 0)
    image = None if template is None else template.data
    lower, upper = (component_fields(workplace.model, sign * SHOWN_DEVIATIONS) for sign in (-1, 1))
    figure = new_figure(2.6 * count, 6.4, "The mean moved along the first components")
    axes = figure.subplots(2, count, squeeze=False)
    still = (anatomy.data > 0).astype(np.float32)
    for k in range(count):
        for row, view in zip(axes, ("sagittal", "coronal"), strict=True):
            axis = row[k]
            axis.set_facecolor("black")
            window.show(axis, image, view)
            window.contour(axis, still, view, "white", 1.0)
            window.contour(axis, occupancy(anatomy, lower[k]), view, BLUE, 2.0)
            window.contour(axis, occupancy(anatomy, upper[k]), view, VERMILION, 2.0)
        axes[0][k].set_title(f"component {k + 1}", fontsize=11)
        axes[1][k].set_xlabel(fill("+1 SD: " + describe(effects[k]), 36), fontsize=8)
    axes[0][0].set_ylabel("sagittal")
    axes[1][0].set_ylabel("coronal")
    save(figure, workplace.figures, "component-shapes")


STAGE = Stage("component-motions", "What each component does", "docs/explanations.md, Kinds of motion", measure)
