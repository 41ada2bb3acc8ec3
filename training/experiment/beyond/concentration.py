"""On how many components a known transformation falls."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from eigenwarp.explanation import Interval, bootstrap_interval, participation_ratio, top_share
from training.experiment.beyond.drawing import BLUE, ORANGE, PINK, new_figure, save, tidy
from training.experiment.beyond.responses import (
    BASES,
    GRIDS,
    LATENTS,
    WITH_SKIPS,
    Response,
    bases,
    between_subjects,
    responses,
)
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.known_transformations import PAPER
from training.experiment.stage import OnProgress, Stage, Workplace

FloatArray = npt.NDArray[np.float64]

ANOTHER_SUBJECT = "another subject"
_COLOURS = {LATENTS: BLUE, WITH_SKIPS: PINK, GRIDS: ORANGE}


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Participation ratio and the strongest component's share, with intervals over the validation subjects."""
    found: dict[str, dict[str, Response]] = {}
    for step, known in enumerate(PAPER, start=1):
        found[known.label] = responses(workplace, known.kind, 1.0)
        on_progress(step / (len(PAPER) + 1))
    found[ANOTHER_SUBJECT] = between_subjects(workplace)
    random = np.random.default_rng(workplace.seed)
    _draw(workplace, found, np.random.default_rng(workplace.seed))
    spread = {basis: _over_transformations(found, basis, _ratio) for basis in BASES}
    whole = {basis: _over_transformations(found, basis, _share_of_whole) for basis in BASES}
    return Findings(
        text=(
            "The paper sees that one or two components answer to a rotation, a translation or a scaling without skips, "
            "and many with skips. The participation ratio counts those that answer: over the three transformations it "
            f"is {spread[LATENTS]:.1f} of {bases(workplace)[LATENTS].count} for PCA on latents without skips, "
            f"{spread[WITH_SKIPS]:.1f} with skips, and {spread[GRIDS]:.1f} for PCA on the deformation grids. It looks "
            "at the basis alone, and with skips most of the change lies outside of it. Of the whole change the "
            f"strongest component holds {whole[LATENTS]:.0f} % without skips, {whole[WITH_SKIPS]:.0f} % with skips and "
            f"{whole[GRIDS]:.0f} % on the grids. The row '{ANOTHER_SUBJECT}' gives the measure: any difference falls "
            "mostly on the components of the largest variance, so a transformation is concentrated only where it is "
            "more so than that row."
        ),
        tables=(_table(workplace, found, random), _differences(found, random)),
        figures=(
            Figure(
                "concentration",
                "Components that answer to a known transformation (left; fewer is more concentrated) and the strongest "
                "one's share of the energy within the basis (middle) and of the whole change (right; more is more "
                "concentrated): means over the validation subjects with 95 % intervals.",
            ),
        ),
    )


def _over_transformations(
    found: dict[str, dict[str, Response]], basis: str, measured: Callable[[Response], FloatArray]
) -> float:
    return float(np.mean([measured(found[known.label][basis]).mean() for known in PAPER]))


def _ratio(response: Response) -> FloatArray:
    return participation_ratio(response.change)


def _share(response: Response) -> FloatArray:
    return np.asarray(100 * top_share(response.change))


def _share_of_whole(response: Response) -> FloatArray:
    """The strongest component's share of all that changed, the part outside the basis included, %."""
    return np.asarray(100 * (response.change**2).max(axis=1) / response.energy)


def _table(workplace: Workplace, found: dict[str, dict[str, Response]], random: np.random.Generator) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for basis in BASES:
        deviations = np.sqrt(bases(workplace)[basis].variances)
        for label, by_basis in found.items():
            response = by_basis[basis]
            ratio, top, whole = (
                bootstrap_interval(measured(response), random) for measured in (_ratio, _share, _share_of_whole)
            )
            strongest = np.abs(response.change).argmax(axis=1)
            most = int(np.bincount(strongest).argmax())
            held = 100 * float(((response.change**2).sum(axis=1) / response.energy).mean())
            in_deviations = float(participation_ratio(response.change / deviations).mean())
            rows.append(
                (
                    basis,
                    label,
                    *_three(ratio),
                    *_three(top),
                    *_three(whole),
                    most + 1,
                    100 * float((strongest == most).mean()),
                    held,
                    in_deviations,
                )
            )
    return Table(
        name="concentration",
        title="Concentration of the response to a known transformation",
        columns=(
            "Directions",
            "Transformation",
            "Participation ratio",
            "95 % from",
            "95 % to",
            "Strongest component's share (%)",
            "95 % from",
            "95 % to",
            "Strongest component's share of the whole change (%)",
            "95 % from",
            "95 % to",
            "Most often strongest",
            "in % of the subjects",
            "Held by the basis (% of energy)",
            "Participation ratio in SDs",
        ),
        rows=tuple(rows),
        note=(
            "Participation ratio: 1 where one component answers, K where all do alike. 'Held by the basis' is the part "
            "of the change that any component shows at all. In SDs each coefficient is divided by the cohort's "
            "standard deviation along it, which takes away the advantage of the components with a large variance. "
            "Means over subjects; intervals by drawing subjects again."
        ),
    )


def _differences(found: dict[str, dict[str, Response]], random: np.random.Generator) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for known in PAPER:
        by_basis = found[known.label]
        for other in (WITH_SKIPS, GRIDS):
            paired = (
                bootstrap_interval(measured(by_basis[other]) - measured(by_basis[LATENTS]), random)
                for measured in (_ratio, _share, _share_of_whole)
            )
            rows.append((known.label, other, *(value for interval in paired for value in _three(interval))))
    return Table(
        name="concentration-differences",
        title=f"The same, less that of '{LATENTS}', subject by subject",
        columns=(
            "Transformation",
            "Directions",
            "Participation ratio",
            "95 % from",
            "95 % to",
            "Strongest component's share (percentage points)",
            "95 % from",
            "95 % to",
            "Its share of the whole change (percentage points)",
            "95 % from",
            "95 % to",
        ),
        rows=tuple(rows),
        note=(
            "Above 0 in the participation ratio: the response is spread wider than without skips. An interval that "
            "holds 0 says that these subjects do not tell."
        ),
    )


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def _draw(workplace: Workplace, found: dict[str, dict[str, Response]], random: np.random.Generator) -> None:
    figure = new_figure(14, 4.2, "Concentration of the response to a known transformation")
    for axis, title, unit, measured in zip(
        figure.subplots(1, 3),
        ("participation ratio", "strongest component, within the basis", "strongest component, of the whole change"),
        ("components that answer", "share of the energy (%)", "share of the energy (%)"),
        (_ratio, _share, _share_of_whole),
        strict=True,
    ):
        for place, basis in enumerate(BASES):
            intervals = [bootstrap_interval(measured(by[basis]), random) for by in found.values()]
            x = np.arange(len(intervals)) + 0.22 * (place - 1)
            y = np.array([interval.estimate for interval in intervals])
            low = y - [interval.low for interval in intervals]
            high = np.array([interval.high for interval in intervals]) - y
            axis.errorbar(x, y, [low, high], fmt="o", color=_COLOURS[basis], capsize=3, label=basis)
        axis.set_xticks(range(len(found)), [label.replace(" ", "\n", 1) for label in found])
        axis.set_ylim(bottom=0)
        tidy(axis, title, "", unit)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    save(figure, workplace.figures, "concentration")


STAGE = Stage(
    "concentration", "How concentrated the response is", "section 4.1, figures 5 and 8; docs/explanations.md", measure
)
