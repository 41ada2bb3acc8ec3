"""What each component does to each label."""

import numpy as np

from training.experiment.beyond.drawing import BLUE, ORANGE, PINK, SKY, new_figure, save, tidy
from training.experiment.beyond.effects import Effect, component_effects
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace

_COLOURS = (BLUE, ORANGE, PINK, SKY)


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Volume change and displacement of each label, one standard deviation up and down."""
    up = component_effects(workplace, 1.0)
    on_progress(0.5)
    down = component_effects(workplace, -1.0)
    _draw(workplace, up)
    names = [label.name for label in up[0].labels]
    said = []
    for place, name in enumerate(names):
        changes = [effect.labels[place].change_percent for effect in up]
        lengths = [effect.labels[place].mean_length_mm for effect in up]
        most, furthest = int(np.abs(changes).argmax()), int(np.argmax(lengths))
        said.append(
            f"the {name} changes its volume most along component {most + 1} ({changes[most]:+.1f} % per standard "
            f"deviation) and moves furthest along component {furthest + 1} ({lengths[furthest]:.1f} mm)"
        )
    sentence = "; ".join(said)
    return Findings(
        text=sentence[0].upper() + sentence[1:] + ".",
        tables=(_table(up, down),),
        figures=(
            Figure(
                "label-effects",
                "Change of volume (above) and mean length of the displacement (below) of each label of the mean at +1 "
                "standard deviation along each component.",
            ),
        ),
    )


def _table(up: tuple[Effect, ...], down: tuple[Effect, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for number, (above, below) in enumerate(zip(up, down, strict=True), start=1):
        for plus, minus in zip(above.labels, below.labels, strict=True):
            rows.append(
                (
                    number,
                    plus.name,
                    plus.change_percent,
                    minus.change_percent,
                    *plus.displacement_mm,
                    plus.mean_length_mm,
                    minus.mean_length_mm,
                )
            )
    return Table(
        name="label-effects",
        title="What each component does to each label of the mean, per standard deviation",
        columns=(
            "Component",
            "Label",
            "Volume at +1 SD (%)",
            "Volume at −1 SD (%)",
            "Moves R (mm)",
            "Moves A (mm)",
            "Moves S (mm)",
            "Mean length at +1 SD (mm)",
            "Mean length at −1 SD (mm)",
        ),
        rows=tuple(rows),
        note=(
            "Volume: the integral of the Jacobian determinant over the label. R, A, S: the mean displacement towards "
            "the patient's right, anterior and superior, +1 standard deviation; it cancels where a label turns or "
            "stretches about its own centre, which the mean length does not. Of the template's labels; another "
            "subject's change differs. Not a diagnosis: a component is a direction of this cohort, not a disease."
        ),
    )


def _draw(workplace: Workplace, up: tuple[Effect, ...]) -> None:
    figure = new_figure(max(6.0, 1.5 + 0.34 * len(up)), 5.6, "What each component does to each label at +1 SD")
    above, below = figure.subplots(2, 1, sharex=True)
    labels = up[0].labels
    width = 0.8 / len(labels)
    for place, label in enumerate(labels):
        x = np.arange(1, len(up) + 1) + width * (place - (len(labels) - 1) / 2)
        colour = _COLOURS[place % len(_COLOURS)]
        above.bar(x, [effect.labels[place].change_percent for effect in up], width, color=colour, label=label.name)
        below.bar(x, [effect.labels[place].mean_length_mm for effect in up], width, color=colour)
    above.axhline(0, color="black", linewidth=0.6)
    tidy(above, "", "", "change of volume (%)")
    tidy(below, "", "component", "mean displacement (mm)", whole_numbers=True)
    below.set_xlim(0.3, len(up) + 0.7)
    figure.legend(loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    save(figure, workplace.figures, "label-effects")


STAGE = Stage("label-effects", "What each component does to each label", "docs/explanations.md, Labels", measure)
