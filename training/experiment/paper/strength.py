"""One component at growing strength (figure 3)."""

import numpy as np

from eigenwarp.field import DisplacementField, folding_share, jacobian_determinant
from eigenwarp.model.registration import RegistrationModel
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.panels import Drawn, strength_rows, validation_subject
from training.experiment.paper.components import component_displacement
from training.experiment.pictures import save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

LAMBDAS = (-200.0, -100.0, 0.0, 100.0, 200.0)
"""The paper's, in latent units."""

STANDARD_DEVIATIONS = (-3.0, -1.5, 0.0, 1.5, 3.0)
COMPONENTS = (1, 4)
"""The two that the paper shows."""


def run(workplace: Workplace, progress: OnProgress) -> Findings:
    model = workplace.model
    subject = validation_subject(workplace, 0)
    shown = [component for component in COMPONENTS if component <= model.basis.count]
    rows: list[tuple[Cell, ...]] = []
    series: list[tuple[str, list[tuple[str, DisplacementField]]]] = []
    for place, component in enumerate(shown):
        sd = model.basis.standard_deviation(component)
        for unit, strengths in (("latent", [value / sd for value in LAMBDAS]), ("sd", list(STANDARD_DEVIATIONS))):
            fields = [_field(model, subject, component, strength) for strength in strengths]
            series.append(
                (
                    f"component {component}",
                    [(_title(strength * sd, strength, unit), f) for strength, f in zip(strengths, fields, strict=True)],
                )
            )
            rows += [_row(component, s, sd, f) for s, f in zip(strengths, fields, strict=True)]
        progress((place + 1) / (len(shown) + 1))
    heading = f"One component at growing strength, {subject.name}, sagittal"
    save_figure(strength_rows(subject, series, subject.planes[0], heading), workplace.figures, "strength")
    deviations = model.basis.standard_deviation(1)
    return Findings(
        text=(
            "The deformed image W(D(λ u_k), M) of the first validation subject along the two components that the paper"
            " shows, 1 and 4: first for the paper's λ ∈ {−200, −100, 0, 100, 200}, then in standard deviations of the"
            " training cohort."
            "\n\nλ is a length in the latent space of one network and does not carry over to another: here one standard"
            f" deviation of component 1 is λ = {deviations:.3g}, so that λ = 200 is {200 / deviations:.1f} of them. As"
            " in the paper, λ = 0 is the identity"
            + (
                ", exactly so, because this decoder has neither biases nor norms."
                if workplace.model.network.architecture.decoder_norm == "none"
                else " or close to it."
            )
        ),
        tables=(
            Table(
                name="strength",
                title="Size of the deformation",
                columns=(
                    "component",
                    "λ (latent units)",
                    "λ (sd)",
                    "mean displacement (mm)",
                    "largest displacement (mm)",
                    "det J ≤ 0 (%)",
                ),
                rows=tuple(rows),
                note="Over the model's whole grid.",
            ),
        ),
        figures=(
            Figure(
                "strength",
                f"Deformed image of {subject.name} with the outlines of its segmentation before (red) and after (gold)"
                " the deformation. Upper row of each component: the paper's λ; lower row: standard deviations of the"
                " training cohort.",
            ),
        ),
    )


def _field(model: RegistrationModel, subject: Drawn, component: int, standard_deviations: float) -> DisplacementField:
    return subject.field(component_displacement(model, component, standard_deviations))


def _title(length: float, standard_deviations: float, unit: str) -> str:
    latent, deviations = f"λ = {length:+.0f}", f"{standard_deviations:+.1f} sd"
    if not length:
        return "λ = 0"
    return (f"{latent} ({deviations})" if unit == "latent" else f"{deviations} ({latent})").replace("-", "−")


def _row(component: int, standard_deviations: float, sd: float, field: DisplacementField) -> tuple[Cell, ...]:
    norms = np.linalg.norm(field.displacement, axis=-1)
    return (
        component,
        round(standard_deviations * sd, 3),
        round(standard_deviations, 3),
        float(norms.mean()),
        float(norms.max()),
        100 * folding_share(jacobian_determinant(field)),
    )


STAGE = Stage("strength", "One component at growing strength", "paper, figure 3", run)
