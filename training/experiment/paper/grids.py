"""PCA of the deformation grids beside that of the encodings (section 5)."""

import numpy as np

from eigenwarp.basis import Basis
from training.experiment.encodings import encodings, transformed_encodings
from training.experiment.findings import Figure, Findings, Table
from training.experiment.grid_basis import deformation_grids, grid_basis
from training.experiment.known_transformations import PAPER
from training.experiment.panels import component_grid, three_subjects, validation_subject
from training.experiment.paper.components import COMPONENTS, STRENGTH_SD
from training.experiment.paper.response_boxes import response_figure
from training.experiment.paper.response_tables import Changes, concentration_table, response_table
from training.experiment.paper.responses import PAPER_ANSWERS
from training.experiment.paper.scree import draw_scree
from training.experiment.pictures import GRIDS, WITHOUT_SKIPS, new_figure, save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

LATENT, OF_GRIDS = "encodings", "deformation grids"
_COLOURS = {LATENT: WITHOUT_SKIPS, OF_GRIDS: GRIDS}


def run(workplace: Workplace, progress: OnProgress) -> Findings:
    basis = grid_basis(workplace)
    progress(0.35)
    ratios = {
        LATENT: 100 * workplace.model.basis.explained_variance_ratio,
        OF_GRIDS: 100 * basis.explained_variance_ratio,
    }
    figure = new_figure(9.0, 3.6)
    draw_scree(figure, ratios, _COLOURS, {})
    save_figure(figure, workplace.figures, "grid-explained-variance")
    coefficients, shares = _responses(workplace, basis, lambda share: progress(0.35 + 0.45 * share))
    labels = [transformation.label for transformation in PAPER]
    bases = [LATENT, OF_GRIDS]
    save_figure(
        response_figure(labels, bases, _COLOURS, {k: 100 * v for k, v in shares.items()}, "share of the change (%)"),
        workplace.figures,
        "grid-response-shares",
    )
    progress(0.85)
    name = _draw_components(workplace, basis)
    return Findings(
        text=_text(ratios, labels, shares),
        tables=(
            _variance(ratios),
            response_table("grid-responses", labels, [OF_GRIDS], coefficients, shares, "mm"),
            concentration_table("grid-response-concentration", labels, bases, shares, _paper(labels)),
        ),
        figures=(
            Figure(
                "grid-explained-variance",
                "Scree plot and cumulative share of the variance: encodings (blue) and deformation grids (green) of the"
                " training subjects.",
            ),
            Figure(
                "grid-components",
                f"The first {min(COMPONENTS, basis.count)} components of the deformation grids at +{STRENGTH_SD:g}"
                f" standard deviations on validation subject {name}, drawn as the components of the encodings above."
                " These are displacements themselves; no decoder stands between. Signs, which are free, are those of"
                " the encodings' components with the same number.",
            ),
            Figure(
                "grid-response-shares",
                "Response to the known transformations as shares of the squared change, of the encodings (blue) and of"
                " the deformation grids (green).",
            ),
        ),
    )


def _responses(
    workplace: Workplace, basis: Basis, progress: OnProgress
) -> tuple[dict[tuple[str, str], Changes], dict[tuple[str, str], Changes]]:
    """|Δa_j| and its share of the squared change, of both bases, by transformation and basis."""
    model = workplace.model
    before = encodings(workplace, "without skips", "validation")
    grids_before = list(deformation_grids(model, before - model.basis.mean))
    coefficients: dict[tuple[str, str], Changes] = {}
    shares: dict[tuple[str, str], Changes] = {}
    for place, transformation in enumerate(PAPER):
        after = transformed_encodings(workplace, "without skips", transformation)
        difference = (after - before).astype(np.float64)
        change = np.abs(model.basis.project_difference(difference))
        coefficients[transformation.label, LATENT] = change
        shares[transformation.label, LATENT] = change**2 / (difference**2).sum(axis=1, keepdims=True)
        changes, energies = [], []
        for grid, other in zip(grids_before, deformation_grids(model, after - model.basis.mean), strict=True):
            moved = other - grid
            changes.append(np.abs(basis.project_difference(moved)).astype(np.float64))
            energies.append(float(np.square(moved, dtype=np.float64).sum()))
        coefficients[transformation.label, OF_GRIDS] = np.array(changes)
        shares[transformation.label, OF_GRIDS] = np.array(changes) ** 2 / np.array(energies)[:, None]
        progress((place + 1) / len(PAPER))
    return coefficients, shares


def _draw_components(workplace: Workplace, basis: Basis) -> str:
    preprocessing = workplace.model.preprocessing
    subject = validation_subject(workplace, three_subjects(workplace)[0])
    count = min(COMPONENTS, basis.count)
    fields, titles = [], []
    signs = _signs(workplace, basis)
    for k in range(1, count + 1):
        moved = signs[k - 1] * STRENGTH_SD * basis.standard_deviation(k) * basis.direction(k)
        voxels: Changes = moved.reshape(*preprocessing.shape, 3) / np.asarray(preprocessing.spacing)
        fields.append(subject.field(voxels))
        titles.append(f"component {k} ({100 * basis.explained_variance_ratio[k - 1]:.1f} %)")
    heading = (
        f"Components 1 to {count} of the deformation grids at +{STRENGTH_SD:g} standard deviations, {subject.name}"
    )
    save_figure(component_grid(subject, fields, titles, heading), workplace.figures, "grid-components")
    return subject.name


def _paper(labels: list[str]) -> dict[tuple[str, str], str]:
    """How many components answer in the paper; of the grids' it gives no figure."""
    return {(label, LATENT): PAPER_ANSWERS[label, "without skips"] for label in labels}


def _signs(workplace: Workplace, basis: Basis) -> Changes:
    """+1 or −1 for each component of the grids, whose sign is free: as that of the encodings with the same number."""
    latent = workplace.model.basis.project(encodings(workplace, "without skips", "train"))
    count = min(basis.count, latent.shape[1])
    agreement = (latent[:, :count] * basis.coefficients[:, :count]).sum(axis=0)
    return np.where(agreement < 0, -1.0, 1.0)


def _variance(ratios: dict[str, Changes]) -> Table:
    count = min(len(row) for row in ratios.values())
    return Table(
        name="grid-explained-variance",
        title="Variance held by the first components",
        columns=("components", *(f"{name} (%)" for name in ratios)),
        rows=tuple((k, *(float(row[:k].sum()) for row in ratios.values())) for k in (1, 2, 4, 8, 16, 32) if k <= count),
        note="Shares of two different variances: of the encodings, in latent units, and of displacements, in mm. That"
        " displacements need fewer components says that they are smoother, not that their components are clearer.",
    )


def _text(ratios: dict[str, Changes], labels: list[str], shares: dict[tuple[str, str], Changes]) -> str:
    def strongest(basis: str) -> str:
        return ", ".join(f"{100 * float(np.median(shares[label, basis].max(axis=1))):.0f} %" for label in labels)

    return (
        'The paper also applied the PCA to the deformation grids and "did not observe any qualitative correlations with'
        " types of deformations\", without a figure or a number. Here each training subject's grid is the decoded"
        " field D(E(X) − mean) between it and the cohort's mean anatomy, in mm at every voxel of the model's grid, and"
        " everything else is done as for the encodings."
        f"\n\nThe first four components hold {ratios[OF_GRIDS][:4].sum():.1f} % of the grids' variance and"
        f" {ratios[LATENT][:4].sum():.1f} % of the encodings'. The strongest component's share of the answer to"
        f" {', '.join(labels)} is {strongest(OF_GRIDS)} for grids and {strongest(LATENT)} for encodings."
    )


STAGE = Stage("deformation-grids", "PCA of the deformation grids themselves", "paper, section 5", run)
