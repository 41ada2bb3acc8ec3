"""PCA beside its alternatives: does another criterion give directions that are more concentrated, steadier, as good?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.explanation import (
    Decomposition,
    Interval,
    bootstrap_interval,
    match_components,
    participation_ratio,
    top_share,
)
from training.experiment.beyond.alternatives import Method, decompose
from training.experiment.beyond.drawing import BLUE, new_figure, save, tidy
from training.experiment.beyond.limits import limit_cells, limit_columns
from training.experiment.beyond.measured import encoded
from training.experiment.beyond.principal import principal_basis
from training.experiment.beyond.responses import moved_codes
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.known_transformations import PAPER
from training.experiment.stage import OnProgress, Stage, Workplace

FloatArray = npt.NDArray[np.float64]

HALVES = 2
FIRST = 8
# An alternative may lose this much of unseen encodings' length, in percentage points, and still be as good.
_TOLERATED = 1.0


@dataclass(frozen=True, eq=False)
class Measured:
    """Of one method.

    Args:
        ratio, top: participation ratio and strongest component's share (%) of each response, (subjects,), means over
            the paper's transformations.
        left: of unseen encodings, % of their length, (subjects,).
        steady: |correlation| over the subjects of coefficients from bases of two halves, (halves, K), descending
            variance.
        places: share of the latent places that a direction uses, mean over directions, %.
        skew: largest |cos| between two directions of one decomposition; 0 where they are at right angles.
    """

    ratio: FloatArray
    top: FloatArray
    left: FloatArray
    steady: FloatArray
    places: float
    skew: float


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """One row for each method."""
    found = {}
    for step, method in enumerate(Method, start=1):
        found[method] = measure_method(workplace, method)
        on_progress(step / len(Method))
    _draw(workplace, found)
    better = [method for method in Method if method is not Method.PCA and pays(found[method], found[Method.PCA])]
    verdict = "No alternative is more concentrated, as steady and as good at reconstruction: PCA stays the default."
    if better:
        verdict = f"{' and '.join(better)} would be worth making the default."
    said = "; ".join(
        f"{method}: {row.ratio.mean():.1f} components answer, {row.steady[:, :FIRST].mean():.2f} steady, "
        f"{row.left.mean():.0f} % left"
        for method, row in found.items()
    )
    return Findings(
        text=f"{said}. {verdict}",
        tables=(_table(workplace, found),),
        figures=(
            Figure(
                "alternatives",
                "PCA and its alternatives: components that answer to a known transformation (fewer is more "
                "concentrated), agreement of the first components between two halves of the cohort (more is steadier), "
                "and what is left of unseen encodings (less is better).",
            ),
        ),
    )


def pays(other: Measured, pca: Measured) -> bool:
    """Whether an alternative is more concentrated, no less steady and no worse at reconstruction than PCA."""
    return bool(
        other.ratio.mean() < pca.ratio.mean()
        and other.top.mean() > pca.top.mean()
        and other.steady[:, :FIRST].mean() >= pca.steady[:, :FIRST].mean()
        and other.left.mean() <= pca.left.mean() + _TOLERATED
    )


def measure_method(workplace: Workplace, method: Method) -> Measured:
    """Fit a method to the training subjects and judge it on the validation subjects and on halves."""
    network, _ = encoded(workplace)
    found = decompose(method, network.model.basis, network.train, workplace.seed)
    responses = [
        found.project_difference(moved_codes(workplace, known.kind, 1.0) - network.validation) for known in PAPER
    ]
    centred = network.validation - found.mean
    left = network.validation - found.reconstruct(found.project(network.validation))
    shares = 100 * np.linalg.norm(left, axis=1) / np.linalg.norm(centred, axis=1)
    gram = found.components.astype(np.float64) @ found.components.T
    return Measured(
        ratio=np.mean([participation_ratio(response) for response in responses], axis=0),
        top=100 * np.mean([top_share(response) for response in responses], axis=0),
        left=np.asarray(shares, dtype=np.float64),
        steady=_steadiness(network.train, network.validation, method, network.model.basis.count, workplace.seed),
        places=100 * float(participation_ratio(found.components).mean()) / found.components.shape[1],
        skew=float(np.abs(gram - np.diag(np.diag(gram))).max()),
    )


def _steadiness(
    codes: npt.NDArray[np.float32], unseen: npt.NDArray[np.float32], method: Method, count: int, seed: int
) -> FloatArray:
    """How well the coefficients that two disjoint halves' bases give to unseen subjects correlate, (halves, K).

    Coefficients, not directions: those of ICA all lean towards the first component, and so towards one another.

    Args:
        unseen: encodings of subjects in neither half, (M, D).
    """
    random = np.random.default_rng(seed)
    half = len(codes) // 2
    count = min(count, half - 1)
    steady = []
    for _ in range(HALVES):
        order = random.permutation(len(codes))
        first, second = (
            _fit(codes[part], method, count, seed).project(unseen).T for part in (order[:half], order[half : 2 * half])
        )
        # Of centred rows the cosine is the correlation.
        first, second = (rows - rows.mean(axis=1, keepdims=True) for rows in (first, second))
        steady.append(match_components(first, second).similarity)
    return np.array(steady)


def _fit(codes: npt.NDArray[np.float32], method: Method, count: int, seed: int) -> Decomposition:
    return decompose(method, principal_basis(codes, count), codes, seed)


def _table(workplace: Workplace, found: dict[Method, Measured]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for method, row in found.items():
        ratio, top, left = _intervals(workplace, row)
        rows.append(
            (
                method.value,
                *(value for i in (ratio, top) for value in limit_cells(i)),
                float(row.steady[:, :FIRST].mean()),
                float(row.steady.mean()),
                *limit_cells(left),
                row.places,
                row.skew,
            )
        )
    return Table(
        name="alternatives",
        title="PCA and its alternatives, as many directions each",
        columns=(
            "Method",
            *limit_columns("Participation ratio"),
            *limit_columns("Strongest component's share (%)"),
            f"Steady, first {FIRST} (|correlation|)",
            "Steady, all (|correlation|)",
            *limit_columns("Left of unseen encodings (%)"),
            "Latent places used (%)",
            "Largest |cos| between directions",
        ),
        rows=tuple(rows),
        note=(
            "Concentration: means over the paper's three transformations and the validation subjects. Steady: how "
            "well the coefficients that bases of two disjoint halves of the training cohort give to the validation "
            f"subjects correlate, counterparts paired one to one, {HALVES} times, in the order of their variance. "
            "Varimax and ICA turn the subspace of the PCA, so that they reconstruct the same. Where directions are "
            "not at right angles (last column), the squares of the coefficients do not add up to the energy, and a "
            "component's share of it is a share of the squares alone."
        ),
    )


def _intervals(workplace: Workplace, row: Measured) -> tuple[Interval, Interval, Interval]:
    random = np.random.default_rng(workplace.seed)
    ratio, top, left = (bootstrap_interval(values, random) for values in (row.ratio, row.top, row.left))
    return ratio, top, left


def _draw(workplace: Workplace, found: dict[Method, Measured]) -> None:
    figure = new_figure(11, 3.6, "PCA and its alternatives")
    axes = figure.subplots(1, 3)
    names = [method.value for method in found]
    intervals = [_intervals(workplace, row) for row in found.values()]
    for axis, place, title, unit in (
        (axes[0], 0, "concentration", "components that answer"),
        (axes[2], 2, "reconstruction", "left of unseen encodings (%)"),
    ):
        y = np.array([row[place].estimate for row in intervals])
        low = y - [row[place].low for row in intervals]
        high = np.array([row[place].high for row in intervals]) - y
        axis.bar(names, y, yerr=[low, high], color=BLUE, capsize=4, width=0.6)
        tidy(axis, title, "", unit)
    axes[1].bar(names, [float(row.steady[:, :FIRST].mean()) for row in found.values()], color=BLUE, width=0.6)
    axes[1].set_ylim(0, 1)
    tidy(axes[1], "stability", "", f"|correlation| between halves, first {FIRST}")
    save(figure, workplace.figures, "alternatives")


STAGE = Stage("alternatives", "Alternatives to PCA", "docs/explanations.md, Alternatives to PCA", measure)
