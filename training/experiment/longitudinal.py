"""Two time points of a subject: does the change exceed what repeated scans of an unchanged subject show?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from eigenwarp.explanation.change import RepeatNoise
from eigenwarp.explanation.interval import proportion_interval
from eigenwarp.explanation.retest import PullBack, Retest, scan_again
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Segmentation, Volume
from training.experiment.beyond.drawing import BLUE, GREEN, GREY, ORANGE, VERMILION, new_figure, save, tidy
from training.experiment.beyond.measured import encode_images
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.follow_ups import LocalScaling, Turned
from training.experiment.stage import OnProgress, Stage, Workplace

LEVELS = (0.95, 0.99)
# Repeats of each training subject, that the noise is learned from; most subjects asked for.
_REPEATS, _NOISE_SUBJECTS = 5, 60
# Unchanged scans of each validation subject after its baseline; with it they make pairs of their own.
_UNCHANGED = 3
_LOSSES = (0.02, 0.05, 0.10, 0.20, 0.30)
_ANGLES = (2.0, 5.0, 10.0)
# The path that is drawn: a yearly loss of the first label, read as time points.
_PATH = (0.0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24)
_RETEST = Retest()

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _FollowUp:
    """One kind of change.

    Args:
        of: makes a subject's change; None where nothing happens.
    """

    kind: str
    size: str
    of: Callable[[Volume, Segmentation], PullBack] | None


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Noise from the training subjects' repeats; false alarms and power on the validation subjects."""
    model = workplace.model
    repeats = _noise_repeats(workplace, lambda done: on_progress(0.35 * done))
    noise, plain = RepeatNoise.calibrated(repeats), RepeatNoise.of_repeats(repeats)
    kinds = [_FollowUp("unchanged", "–", None)] * _UNCHANGED + _changes(model)
    scans = _scans(workplace, kinds, lambda done: on_progress(0.35 + 0.6 * done))
    repeated = scans[:, : 1 + _UNCHANGED]
    unchanged = (repeated[:, 1::2] - repeated[:, ::2]).reshape(-1, noise.count)
    alarms = _false_alarms(noise, plain, unchanged)
    powers = _powers(noise, kinds[_UNCHANGED:], scans[:, 1 + _UNCHANGED :] - scans[:, :1])
    _draw_power(workplace, powers)
    steps, found = _draw_path(workplace, noise)
    at_5 = proportion_interval(sum(noise.test(d).exceeds for d in unchanged), len(unchanged))
    return Findings(
        text=(
            f"Repeated scans were imitated: position ({_RETEST.shift_mm:g} mm, {_RETEST.rotation_degrees:g}°, standard "
            f"deviations), voxel size (±{100 * _RETEST.spacing:g} %), noise ({100 * _RETEST.noise:g} % of the range), "
            f"gain ({100 * _RETEST.gain:g} %). From {len(repeats)} training subjects with {_REPEATS} scans each comes "
            f"the covariance of one scan's {noise.count} coefficients, calibrated on subjects that had no part in it "
            f"(D² divided by {noise.calibration:.2f}). Of {len(unchanged)} unchanged pairs of validation subjects, "
            f"{100 * at_5.estimate:.1f} % are called changed at the 5 % level ({100 * at_5.low:.1f} to "
            f"{100 * at_5.high:.1f}). {_in_words(powers)} On the path of one subject the change is first seen at "
            f"time point {found if found is not None else 'none'} of {len(steps) - 1}."
        ),
        tables=(alarms, _power_table(powers)),
        figures=(
            Figure(
                "change-power",
                "How often a change of known size is found in one pair of scans at the 5 % level, with Wilson's 95 % "
                "intervals over the validation subjects; dashed: the rate of false alarms.",
            ),
            Figure(
                "change-path",
                "One validation subject whose first label loses 4 % of its volume from each time point to the next, "
                "every point with fresh noise and position. Left: the two components that answer most; grey: training "
                "subjects, ellipse: 95 % of second scans of an unchanged subject. Middle: D² against its limit. "
                "Right: the coefficients' changes in standard deviations of noise.",
            ),
        ),
    )


def _noise_repeats(workplace: Workplace, on_progress: OnProgress) -> FloatArray:
    """Coefficients of repeated scans, (S, R, K)."""
    cohort = workplace.train
    chosen = np.unique(np.linspace(0, len(cohort) - 1, min(len(cohort), _NOISE_SUBJECTS)).round().astype(int))
    rows = []
    for done, index in enumerate(chosen, start=1):
        generator = np.random.default_rng([workplace.seed, 1, int(index)])
        volume = cohort.load_volume(int(index))
        rows.append(_coefficients(workplace.model, [scan_again(volume, _RETEST, generator) for _ in range(_REPEATS)]))
        on_progress(done / len(chosen))
    return np.stack(rows)


def _changes(model: RegistrationModel) -> list[_FollowUp]:
    """Each label losing volume, and the whole anatomy turning in the sagittal plane."""

    def loses(label: int, share: float) -> Callable[[Volume, Segmentation], PullBack]:
        return lambda _, labels: LocalScaling.of_volume_change(labels, label, -share)

    def turns(degrees: float) -> Callable[[Volume, Segmentation], PullBack]:
        return lambda volume, _: Turned(degrees, (1.0, 0.0, 0.0), volume.geometry.centre)

    found = [
        _FollowUp(f"{name} shrinks", f"{100 * share:g} %", loses(label, share))
        for name, label in model.labels.items()
        for share in _LOSSES
    ]
    return found + [_FollowUp("turned about left–right", f"{degrees:g}°", turns(degrees)) for degrees in _ANGLES]


def _scans(workplace: Workplace, kinds: list[_FollowUp], on_progress: OnProgress) -> FloatArray:
    """Coefficients of each validation subject's baseline and follow-ups, (S, 1 + kinds, K)."""
    cohort = workplace.validation
    rows = []
    for index in range(len(cohort)):
        volume, labels = cohort.load(index)
        generator = np.random.default_rng([workplace.seed, 2, index])
        scans = [scan_again(volume, _RETEST, generator)]
        for kind in kinds:
            changed = None if kind.of is None else kind.of(volume, labels)
            scans.append(scan_again(volume, _RETEST, generator, changed))
        rows.append(_coefficients(workplace.model, scans))
        on_progress((index + 1) / len(cohort))
    return np.stack(rows)


def _coefficients(model: RegistrationModel, volumes: list[Volume]) -> FloatArray:
    """(N, K)."""
    grids = model.preprocessing
    prepared = np.stack([grids.prepare(volume, grids.grid_for(volume)) for volume in volumes])
    codes = encode_images(model, torch.from_numpy(prepared)[:, None])
    return np.asarray(model.basis.project(codes), dtype=np.float64)


def _false_alarms(noise: RepeatNoise, plain: RepeatNoise, unchanged: FloatArray) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, model in (("Hotelling's F", plain), ("calibrated", noise)):
        for level in LEVELS:
            hits = sum(model.test(difference, level).exceeds for difference in unchanged)
            rate = proportion_interval(hits, len(unchanged))
            rows.append((name, 100 * (1 - level), 100 * rate.estimate, 100 * rate.low, 100 * rate.high, len(unchanged)))
    return Table(
        name="change-false-alarms",
        title="Unchanged pairs that are called changed",
        columns=("Limit", "Should be (%)", "Measured (%)", "95 % from", "95 % to", "Pairs"),
        rows=tuple(rows),
        note=(
            "Validation subjects, who took no part in the noise or its calibration. The calibration is made at 5 %; "
            "at 1 % it is carried over. Pairs of one subject are not independent: the intervals are a little narrow."
        ),
    )


@dataclass(frozen=True)
class _Power:
    kind: str
    size: str
    hits: int
    trials: int
    median_distance: float
    expected: float


def _powers(noise: RepeatNoise, kinds: list[_FollowUp], differences: FloatArray) -> list[_Power]:
    found = []
    for column, kind in enumerate(kinds):
        tests = [noise.test(difference) for difference in differences[:, column]]
        # D² of a difference is on average its true length and K degrees of noise.
        true = max(float(np.mean([test.distance_squared for test in tests])) - noise.count / noise.calibration, 0.0)
        found.append(
            _Power(
                kind.kind,
                kind.size,
                sum(test.exceeds for test in tests),
                len(tests),
                float(np.median([test.distance_squared for test in tests])),
                noise.power(true),
            )
        )
    return found


def _power_table(powers: list[_Power]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in powers:
        rate = proportion_interval(row.hits, row.trials)
        rows.append(
            (
                row.kind,
                row.size,
                100 * rate.estimate,
                100 * rate.low,
                100 * rate.high,
                row.median_distance,
                100 * row.expected,
            )
        )
    return Table(
        name="change-power",
        title="Changes of known size that are found at the 5 % level",
        columns=("Change", "Size", "Found (%)", "95 % from", "95 % to", "Median D²", "Expected (%)"),
        rows=tuple(rows),
        note=(
            "Each validation subject once per row, all against its one baseline. Expected: by the non-central F for "
            "the mean true D² of the row. A shrinkage is a smooth local deformation, as strong as the volume asks."
        ),
    )


def _in_words(powers: list[_Power]) -> str:
    """The smallest size of each kind that is found in at least four of five subjects."""
    parts = []
    for kind in dict.fromkeys(row.kind for row in powers):
        rows = [row for row in powers if row.kind == kind]
        seen = next((row.size for row in rows if row.hits >= 0.8 * row.trials), None)
        most = f"less than four in five even at {rows[-1].size}"
        parts.append(f"{kind}: {'from ' + seen if seen else most}")
    return f"Found in four of five subjects or more: {'; '.join(parts)}."


def _draw_power(workplace: Workplace, powers: list[_Power]) -> None:
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
    save(figure, workplace.figures, "change-power")


def _draw_path(workplace: Workplace, noise: RepeatNoise) -> tuple[tuple[float, ...], int | None]:
    """One subject from time point to time point; the first at which its change is seen."""
    model = workplace.model
    volume, labels = workplace.validation.load(0)
    name, label = next(iter(model.labels.items()))
    generator = np.random.default_rng([workplace.seed, 3])
    scans = [
        scan_again(volume, _RETEST, generator, LocalScaling.of_volume_change(labels, label, -loss) if loss else None)
        for loss in _PATH
    ]
    path = _coefficients(model, scans)
    tests = [noise.test(point - path[0]) for point in path]
    final = np.abs(tests[-1].z)
    first, second = (int(k) for k in np.argsort(-final)[:2]) if noise.count > 1 else (0, 0)
    figure = new_figure(
        14, 4.3, f"{workplace.validation.names[0]}: the {name} loses 4 % from one time point to the next"
    )
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1, 1.1))
    cohort = model.basis.coefficients
    left.scatter(cohort[:, first], cohort[:, second], s=9, color=GREY, alpha=0.45, linewidths=0)
    _add_ellipse(left, noise, path[0], (first, second))
    left.plot(path[:, first], path[:, second], color=BLUE, linewidth=1.3, marker="o", markersize=5)
    for number, point in enumerate(path):
        left.annotate(str(number), point[[first, second]], textcoords="offset points", xytext=(5, 4), fontsize=8.5)
    tidy(left, "its path among the training subjects", f"component {first + 1}", f"component {second + 1}")
    distances = [test.distance_squared for test in tests]
    middle.plot(range(len(path)), distances, color=BLUE, marker="o")
    for test, number in zip(tests, range(len(path)), strict=True):
        if number:
            middle.annotate(
                f"p = {test.p_value:.2g}",
                (number, distances[number]),
                textcoords="offset points",
                xytext=(-8, 8),
                fontsize=8,
                ha="right",
            )
    middle.axhline(tests[0].limit, color=VERMILION, linestyle="--", linewidth=1)
    middle.set_ylim(top=1.15 * max(*distances, tests[0].limit))
    tidy(middle, "change since the baseline, against its limit", "time point", "D²", whole_numbers=True)
    shown = np.argsort(-final)[: min(8, noise.count)]
    colours = (BLUE, ORANGE, GREEN, VERMILION)
    for place, k in enumerate(shown):
        style = (
            {"color": colours[place], "linewidth": 1.8} if place < len(colours) else {"color": GREY, "linewidth": 0.9}
        )
        right.plot([test.z[k] for test in tests], marker=".", label=f"component {k + 1}", **style)
    right.axhspan(-2, 2, color=GREY, alpha=0.15, linewidth=0)
    right.legend(fontsize=7.5, frameon=False, ncols=2)
    tidy(right, "the components that answer most", "time point", "change (sd of noise)", whole_numbers=True)
    save(figure, workplace.figures, "change-path")
    return _PATH, next((number for number, test in enumerate(tests) if test.exceeds), None)


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


STAGE = Stage(
    "longitudinal", "Change over time", "docs/explanations.md, Change over time; the paper's outlook", measure
)
