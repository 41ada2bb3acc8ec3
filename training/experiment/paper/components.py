"""What each component does to a subject (figures 2, 4 and 7)."""

import numpy as np
import numpy.typing as npt

from eigenwarp.model.registration import RegistrationModel
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.panels import component_grid, three_subjects, validation_subject
from training.experiment.pictures import save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

COMPONENTS = 8
STRENGTH_SD = 2.0
"""λ in standard deviations of the training cohort. The paper gives no λ for these figures."""


def run(workplace: Workplace, progress: OnProgress) -> Findings:
    model = workplace.model
    count = min(COMPONENTS, model.basis.count)
    displacements = [component_displacement(model, k, STRENGTH_SD) for k in range(1, count + 1)]
    titles = [component_title(model, k) for k in range(1, count + 1)]
    chosen = three_subjects(workplace)
    figures = []
    for place, index in enumerate(chosen):
        progress((place + 0.5) / (len(chosen) + 1))
        subject = validation_subject(workplace, index)
        name = f"components-subject-{place + 1}"
        heading = f"Components 1 to {count} at +{STRENGTH_SD:g} standard deviations, {subject.name}"
        figure = component_grid(subject, [subject.field(d) for d in displacements], titles, heading)
        save_figure(figure, workplace.figures, name)
        figures.append(
            Figure(
                name,
                f"W(D(λ u_k), M) for validation subject {subject.name}, k = 1 to {count}, sagittal (above) and coronal"
                " (below) through its largest section. Red: outlines of the moving segmentation; gold: the warped one."
                " Arrows show where tissue goes, coloured by the norm in all three directions; where a component is"
                " weak they are drawn longer by the factor in its corner.",
            )
        )
    return Findings(
        text=(
            f"Each component's direction, times λ = {STRENGTH_SD:g} standard deviations of the training cohort, is"
            " decoded into a deformation and applied to a validation subject and its segmentation. The deformation is"
            " the same for every subject; only what lies in it differs. The subjects are the first, the middle and the"
            " last of the sorted validation names."
            "\n\nIn the paper, components of the hippocampus are read by eye: 1 a rotation in the sagittal plane, 2 a"
            " translation with shrinking towards the lower right, 3 the same towards the upper left, 4 a scaling that"
            " inflates head and tail. Signs and order depend on the trained network, so the figures compare in kind,"
            " not number by number."
        ),
        tables=(_strengths(model, count),),
        figures=tuple(figures),
    )


def component_displacement(
    model: RegistrationModel, component: int, standard_deviations: float
) -> npt.NDArray[np.float32]:
    """D(λ u_k), λ in standard deviations: (X, Y, Z, 3) on the model's grid, voxels."""
    basis = model.basis
    return model.decode(standard_deviations * basis.standard_deviation(component) * basis.direction(component))


def component_title(model: RegistrationModel, component: int) -> str:
    """Number, share of the variance, and λ."""
    length = STRENGTH_SD * model.basis.standard_deviation(component)
    share = 100 * model.basis.explained_variance_ratio[component - 1]
    return f"component {component} ({share:.1f} %), λ = {length:.0f}"


def _strengths(model: RegistrationModel, count: int) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            k,
            100 * float(model.basis.explained_variance_ratio[k - 1]),
            model.basis.standard_deviation(k),
            STRENGTH_SD * model.basis.standard_deviation(k),
        )
        for k in range(1, count + 1)
    ]
    return Table(
        name="component-strengths",
        title="λ of the figures",
        columns=("component", "variance (%)", "standard deviation (latent units)", "λ (latent units)"),
        rows=tuple(rows),
    )


STAGE = Stage("components", "What the components do", "paper, figures 2, 4 and 7", run)
