"""How often changes are found, and the path of a subject in the basis, as pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from eigenwarp.explanation.change import Change, RepeatNoise
from eigenwarp.explanation.interval import proportion_interval
from training.experiment.beyond.drawing import BLUE, GREEN, GREY, ORANGE, PINK, VERMILION, new_figure, save, tidy

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Power:
    """How often one change was found.

    Args:
        kind, size: of the change, in words.
        hits, trials: subjects in whom it was found, and all.
        median_distance: D².
    """

    kind: str
    size: str
    hits: int
    trials: int
    median_distance: float


@dataclass(frozen=True, eq=False)
class SubjectPath:
    """One subject's time points.

    Args:
        words: what happens to it, such as "anatomy turns by 2° at each".
        points: coefficients at each time point, (T, K).
        tests: of each against the first.
    """

    words: str
    points: FloatArray
    tests: list[Change]


def draw_power(folder: Path, powers: list[Power]) -> None:
    """``change-power.png``: a curve for each kind of change."""
    kinds = list(dict.fromkeys(row.kind for row in powers))
    figure = new_figure(4.2 * len(kinds), 3.6, "Changes that one pair of scans shows")
    axes = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for axis, kind, colour in zip(axes, kinds, (BLUE, GREEN, ORANGE, VERMILION, GREY) * len(kinds), strict=False):
        rows = [row for row in powers if row.kind == kind]
        rates = [proportion_interval(row.hits, row.trials) for row in rows]
        middle = np.array([rate.estimate for rate in rates])
        errors = np.array([[rate.estimate - rate.low, rate.high - rate.estimate] for rate in rates]).T
        places = np.arange(len(rows))
        axis.errorbar(places, 100 * middle, yerr=100 * np.clip(errors, 0, None), color=colour, marker="o", capsize=3)
        axis.axhline(5, color=GREY, linestyle="--", linewidth=1)
        axis.set_xticks(places, [row.size for row in rows])
        axis.set_ylim(-3, 103)
        tidy(axis, kind, "size", "found (%)" if axis is axes[0] else "")
    save(figure, folder, "change-power")


def draw_paths(
    folder: Path, name: str, paths: list[SubjectPath], noise: RepeatNoise, cohort: npt.NDArray[np.floating]
) -> None:
    """``change-path.png``: the subject among the cohort, its distance from the start, and what answers.

    Args:
        paths: the last one says which components are shown.
        cohort: coefficients of the training subjects, (N, K or more).
    """
    figure = new_figure(14, 4.5, f"{name}, from time point to time point")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1, 1.1))
    last = paths[-1]
    order = np.argsort(-np.abs(last.tests[-1].z))
    first, second = int(order[0]), int(order[min(1, len(order) - 1)])
    left.scatter(cohort[:, first], cohort[:, second], s=9, color=GREY, alpha=0.45, linewidths=0)
    _add_ellipse(left, noise, last.points[0], (first, second))
    for path, colour in zip(paths, (ORANGE, BLUE), strict=True):
        at = path.points[:, [first, second]]
        left.plot(*at.T, color=colour, linewidth=1.3, marker="o", markersize=4.5, label=path.words)
        left.annotate(str(len(at) - 1), at[-1], textcoords="offset points", xytext=(6, 4), fontsize=9, color=colour)
        distances = [test.distance_squared for test in path.tests]
        middle.plot(range(len(distances)), distances, color=colour, marker="o", label=path.words)
    left.legend(fontsize=8, frameon=False)
    tidy(left, "its paths among the training subjects", f"component {first + 1}", f"component {second + 1}")
    limit = last.tests[0].limit
    middle.axhline(limit, color=VERMILION, linestyle="--", linewidth=1, label="5 % of unchanged pairs are above")
    middle.legend(fontsize=8, frameon=False)
    tidy(middle, "change since the first time point", "time point", "D²", whole_numbers=True)
    colours = (BLUE, ORANGE, GREEN, PINK)
    for place, k in enumerate(order[: min(8, len(order))]):
        colour, width = (colours[place], 1.8) if place < len(colours) else (GREY, 0.9)
        label = f"component {k + 1}" if place < len(colours) else None
        right.plot([test.z[k] for test in last.tests], marker=".", color=colour, linewidth=width, label=label)
    right.axhspan(-2, 2, color=GREY, alpha=0.15, linewidth=0)
    right.legend(fontsize=8, frameon=False)
    tidy(right, f"what answers when the {last.words}", "time point", "change (sd of noise)", whole_numbers=True)
    save(figure, folder, "change-path")


def _add_ellipse(axis: Axes, noise: RepeatNoise, centre: FloatArray, pair: tuple[int, int]) -> None:
    """Where 95 of 100 second scans of an unchanged subject fall, in two of the coefficients."""
    part = 2 * noise.calibration * noise.covariance[np.ix_(pair, pair)]
    values, vectors = np.linalg.eigh(part)
    # χ² with two degrees of freedom: −2 ln 0.05.
    width, height = 2 * np.sqrt(np.maximum(values[::-1], 0) * -2 * np.log(0.05))
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    axis.add_patch(
        Ellipse(
            (centre[pair[0]], centre[pair[1]]),
            width,
            height,
            angle=angle,
            facecolor="none",
            edgecolor=VERMILION,
            linewidth=1.3,
        )
    )
