"""Whether coefficients answer in proportion to the size of a known transformation."""

import numpy as np
import numpy.typing as npt

from eigenwarp.explanation import Interval, bootstrap_interval, fit_dose_response
from training.experiment.beyond.drawing import BLUE, GREY, new_figure, save, tidy
from training.experiment.beyond.responses import BASES, DOSES, bases, paper_size, responses
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.known_transformations import Kind
from training.experiment.stage import OnProgress, Stage, Workplace

FloatArray = npt.NDArray[np.float64]

_UNITS = {Kind.ROTATION: "°", Kind.TRANSLATION: "voxel", Kind.SCALING: "% of length"}
_IN_UNITS = {Kind.ROTATION: 1.0, Kind.TRANSLATION: 1.0, Kind.SCALING: 100.0}


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Fit Δa of the strongest component against the size, subject by subject."""
    changes: dict[tuple[str, Kind], FloatArray] = {}
    strongest: dict[tuple[str, Kind], int] = {}
    steps = len(Kind) * len(DOSES)
    for place, kind in enumerate(Kind):
        by_dose = []
        for step, part in enumerate(DOSES, start=1):
            by_dose.append(responses(workplace, kind, part))
            on_progress((place * len(DOSES) + step) / steps)
        for basis in BASES:
            change = np.stack([found[basis].change for found in by_dose])
            strongest[basis, kind] = strongest_component(change)
            changes[basis, kind] = change / np.sqrt(bases(workplace)[basis].variances)
    table = _table(workplace, changes, strongest)
    _draw(workplace, changes, strongest)
    linear = {kind: _fits(changes[BASES[0], kind][:, :, strongest[BASES[0], kind]], kind) for kind in Kind}
    said = "; ".join(
        f"{kind.value}: component {strongest[BASES[0], kind] + 1}, R² {linear[kind][:, 1].mean():.2f}, "
        f"departure {linear[kind][:, 2].mean():.2f}"
        for kind in Kind
    )
    return Findings(
        text=(
            "Each validation subject was transformed by a quarter, a half and the whole of the paper's size, both "
            f"ways. For PCA on latents without skips the strongest component of each kind is: {said}. A "
            "departure of 0 is a response in proportion to the size; one of 0.2 is off by a fifth of itself."
        ),
        tables=(table,),
        figures=(
            Figure(
                "dose-response",
                "Change of the strongest component's coefficient, in standard deviations of the cohort, against the "
                "size of the transformation: each validation subject (grey), their mean (blue), and the line in "
                "proportion (dashed).",
            ),
        ),
    )


def strongest_component(change: FloatArray) -> int:
    """The component with the most energy over all sizes and subjects, from 0. Change: (doses, N, K)."""
    return int((change**2).mean(axis=(0, 1)).argmax())


def _fits(change: FloatArray, kind: Kind) -> FloatArray:
    """Slope, R² and departure of each subject, (N, 3). Change: (doses, N)."""
    sizes = np.array(DOSES) * paper_size(kind) * _IN_UNITS[kind]
    fits = [fit_dose_response(sizes, subject) for subject in change.T]
    return np.array([(fit.slope, fit.r_squared, fit.departure) for fit in fits])


def _table(
    workplace: Workplace, changes: dict[tuple[str, Kind], FloatArray], strongest: dict[tuple[str, Kind], int]
) -> Table:
    random = np.random.default_rng(workplace.seed)
    rows: list[tuple[Cell, ...]] = []
    for basis in BASES:
        for kind in Kind:
            component = strongest[basis, kind]
            fits = _fits(changes[basis, kind][:, :, component], kind)
            slope, r_squared, departure = (bootstrap_interval(column, random) for column in fits.T)
            rows.append(
                (
                    basis,
                    kind.value,
                    f"per {_UNITS[kind]}",
                    component + 1,
                    *_three(slope),
                    *_three(r_squared),
                    *_three(departure),
                )
            )
    return Table(
        name="dose-response",
        title="Change of the strongest component's coefficient against the size of a known transformation",
        columns=(
            "Directions",
            "Transformation",
            "Unit of the slope",
            "Component",
            "Slope (SD per unit)",
            "95 % from",
            "95 % to",
            "R² of a line",
            "95 % from",
            "95 % to",
            "Departure from proportion",
            "95 % from",
            "95 % to",
        ),
        rows=tuple(rows),
        note=(
            "Strongest: the component with the most energy, in the basis' own unit as in the paper's figures, over "
            "all sizes and subjects; its slope is in standard deviations of the cohort along it. A line is fitted to "
            "each subject; means over subjects, intervals by drawing subjects again. A high R² with a large "
            "departure is a response that is straight but does not pass through 0."
        ),
    )


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def _draw(
    workplace: Workplace, changes: dict[tuple[str, Kind], FloatArray], strongest: dict[tuple[str, Kind], int]
) -> None:
    figure = new_figure(11, 9.5, "Dose and response: the strongest component of each kind")
    axes = figure.subplots(len(BASES), len(Kind), squeeze=False)
    for row, basis in zip(axes, BASES, strict=True):
        for axis, kind in zip(row, Kind, strict=True):
            component = strongest[basis, kind]
            change = changes[basis, kind][:, :, component]
            sizes = np.array(DOSES) * paper_size(kind) * _IN_UNITS[kind]
            middle = len(DOSES) // 2
            x, y = np.insert(sizes, middle, 0.0), np.insert(change, middle, 0.0, axis=0)
            axis.plot(x, y, color=GREY, linewidth=0.6, alpha=0.5)
            axis.plot(x, y.mean(axis=1), color=BLUE, linewidth=2.2, marker="o", markersize=4)
            axis.plot(x, _fits(change, kind)[:, 0].mean() * x, color="black", linestyle="--", linewidth=1)
            axis.axhline(0, color="black", linewidth=0.5)
            unit = {Kind.ROTATION: "°", Kind.TRANSLATION: "voxels", Kind.SCALING: "% of length"}[kind]
            tidy(axis, f"{basis}: component {component + 1}", f"{kind.value} ({unit})", "Δa (SD)")
    save(figure, workplace.figures, "dose-response")


STAGE = Stage("dose-response", "Dose and response", "docs/explanations.md, Dose and response", measure)
