"""How much of the cohort's variance the components hold (section 3.3)."""

import numpy as np
import numpy.typing as npt

from training.experiment.encodings import NETWORKS, network_of
from training.experiment.findings import Figure, Findings, Table
from training.experiment.paper.scree import draw_scree
from training.experiment.pictures import WITH_SKIPS, WITHOUT_SKIPS, new_figure, save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

PAPER = {4: 62.0, 32: 93.0}
"""Per cent that so many components hold of the hippocampus encodings, without skips."""


def run(workplace: Workplace, progress: OnProgress) -> Findings:
    ratios: dict[str, npt.NDArray[np.floating]] = {
        name: 100 * network_of(workplace, name).basis.explained_variance_ratio for name in NETWORKS
    }
    progress(0.5)
    figure = new_figure(9.0, 3.6)
    colours: dict[str, str] = dict(zip(NETWORKS, (WITHOUT_SKIPS, WITH_SKIPS), strict=True))
    draw_scree(figure, ratios, colours, PAPER)
    save_figure(figure, workplace.figures, "explained-variance")
    plain = ratios["without skips"]
    count = len(plain)
    return Findings(
        text=(
            f"The basis is a PCA of the {workplace.model.basis.coefficients.shape[0]} training encodings. Without skips"
            f" {count} components hold {plain.sum():.1f} % of their variance (the paper: 93 % with 32) and the first"
            f" four {plain[:4].sum():.1f} % (62 %). With skips the encodings are longer, and the same numbers are"
            f" {ratios['with skips'].sum():.1f} % and {ratios['with skips'][:4].sum():.1f} %."
        ),
        tables=(_summary(ratios), _all(ratios)),
        figures=(
            Figure(
                "explained-variance",
                "Scree plot and cumulative share of the variance of the training encodings; black diamonds: the paper's"
                " two values, without skips.",
            ),
        ),
    )


def _summary(ratios: dict[str, npt.NDArray[np.floating]]) -> Table:
    counts = sorted({1, 2, 4, 8, 16, 32, *(len(row) for row in ratios.values())})
    rows = [
        (
            count,
            *(float(row[:count].sum()) if count <= len(row) else None for row in ratios.values()),
            PAPER.get(count),
        )
        for count in counts
        if count <= max(len(row) for row in ratios.values())
    ]
    return Table(
        name="explained-variance",
        title="Variance held by the first components",
        columns=("components", *(f"{name} (%)" for name in ratios), "paper, without skips (%)"),
        rows=tuple(rows),
        note="Of the training subjects, with the mean taken off, as scikit-learn's PCA does. It says how compact the"
        " encodings are, not how well a registration is held that uses so many components.",
    )


def _all(ratios: dict[str, npt.NDArray[np.floating]]) -> Table:
    most = max(len(row) for row in ratios.values())
    columns: list[str] = []
    values: list[list[float | None]] = []
    for name, row in ratios.items():
        columns += [f"{name} (%)", f"{name}, cumulative (%)"]
        gaps: list[float | None] = [None] * (most - len(row))
        values += [[*map(float, row), *gaps], [*map(float, np.cumsum(row)), *gaps]]
    return Table(
        name="scree",
        title="Variance held by each component",
        columns=("component", *columns),
        rows=tuple((place + 1, *cells) for place, cells in enumerate(zip(*values, strict=True))),
    )


STAGE = Stage("explained-variance", "Explained variance", "paper, section 3.3", run)
