"""Two time points of a subject: does the change exceed what repeated scans of an unchanged subject show?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from eigenwarp.explanation.change import RepeatNoise
from eigenwarp.explanation.interval import proportion_interval
from eigenwarp.explanation.retest import PullBack, Retest, scan_again
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Segmentation, Volume
from training.experiment.beyond.measured import encode_images
from training.experiment.change_figures import Power, SubjectPath, draw_paths, draw_power
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.follow_ups import LocalScaling, Turned
from training.experiment.stage import OnProgress, Stage, Workplace

LEVELS = (0.95, 0.99)
# Repeats of each training subject, that the noise is learned from; most subjects asked for.
_REPEATS, _NOISE_SUBJECTS, _SOURCE_SUBJECTS = 5, 60, 10
# Unchanged scans of each validation subject after its baseline; with it they make pairs of their own.
_UNCHANGED = 3
# As many coefficients are tested together as the paper shows (figures 5 and 8); more of them find no more.
_TESTED = 10
_LOSSES = (0.02, 0.05, 0.10, 0.20, 0.30)
_ANGLES = (2.0, 5.0, 10.0)
# The paths that are drawn: so many time points, and what happens from one to the next.
_PATH_STEPS, _PATH_LOSS, _PATH_TURN = 7, 0.04, 2.0
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
    repeats = _noise_repeats(workplace, lambda done: on_progress(0.3 * done))
    sources = _sources(workplace)
    noise, plain = RepeatNoise.calibrated(repeats), RepeatNoise.of_repeats(repeats)
    kinds = [_FollowUp("unchanged", "–", None)] * _UNCHANGED + _changes(model)
    scans = _scans(workplace, kinds, lambda done: on_progress(0.4 + 0.55 * done))
    repeated = scans[:, : 1 + _UNCHANGED]
    unchanged = (repeated[:, 1::2] - repeated[:, ::2]).reshape(-1, noise.count)
    alarms = _false_alarms(noise, plain, unchanged)
    powers = _powers(noise, kinds[_UNCHANGED:], scans[:, 1 + _UNCHANGED :] - scans[:, :1])
    draw_power(workplace.figures, powers)
    paths = _paths(workplace, noise)
    draw_paths(workplace.figures, workplace.validation.names[0], paths, noise, workplace.model.basis.coefficients)
    at_5 = proportion_interval(sum(noise.test(d).exceeds for d in unchanged), len(unchanged))
    return Findings(
        text=(
            f"Repeated scans were imitated: position ({_RETEST.shift_mm:g} mm, {_RETEST.rotation_degrees:g}°, standard "
            f"deviations), voxel size (±{100 * _RETEST.spacing:g} %), noise ({100 * _RETEST.noise:g} % of the range), "
            f"gain ({100 * _RETEST.gain:g} %). From {len(repeats)} training subjects with {_REPEATS} scans each comes "
            f"the covariance of one scan's first {noise.count} coefficients, calibrated on subjects without part in it "
            f"(D² divided by {noise.calibration:.2f}). Of {len(unchanged)} unchanged pairs of validation subjects, "
            f"{100 * at_5.estimate:.1f} % are called changed at the 5 % level ({100 * at_5.low:.1f} to "
            f"{100 * at_5.high:.1f}). {_in_words(powers)} On the paths of one subject: "
            f"{_first_seen(paths)}."
        ),
        tables=(sources, alarms, _power_table(powers)),
        figures=(
            Figure(
                "change-power",
                "How often a change of known size is found in one pair of scans at the 5 % level, with Wilson's 95 % "
                "intervals over the validation subjects; dashed: the rate of false alarms.",
            ),
            Figure(
                "change-path",
                "One validation subject from time point to time point, every scan with fresh noise and position: once "
                "its first label loses volume, once it turns. Left: the two components that answer most to the turn; "
                "grey: training subjects, ellipse: 95 % of second scans of an unchanged subject. Middle: D² against "
                "its limit. Right: the coefficients' changes as it turns, in standard deviations of noise.",
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
        rows.append(_tested(workplace.model, [scan_again(volume, _RETEST, generator) for _ in range(_REPEATS)]))
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
        rows.append(_tested(workplace.model, scans))
        on_progress((index + 1) / len(cohort))
    return np.stack(rows)


def _sources(workplace: Workplace) -> Table:
    """What each difference between two scans does to the coefficients when it comes alone."""
    nothing = Retest(0, 0, 0, 0, 0)
    alone = {
        "position": replace(nothing, shift_mm=_RETEST.shift_mm),
        "angle": replace(nothing, rotation_degrees=_RETEST.rotation_degrees),
        "voxel size": replace(nothing, spacing=_RETEST.spacing),
        "noise": replace(nothing, noise=_RETEST.noise),
        "gain": replace(nothing, gain=_RETEST.gain),
        "all of them": _RETEST,
    }
    cohort, model = workplace.train, workplace.model
    chosen = np.unique(np.linspace(0, len(cohort) - 1, min(len(cohort), _SOURCE_SUBJECTS)).round().astype(int))
    rows: list[tuple[Cell, ...]] = []
    count = min(_TESTED, model.basis.count)
    for name, how in alone.items():
        scans = []
        for index in chosen:
            generator = np.random.default_rng([workplace.seed, 4, int(index)])
            volume = cohort.load_volume(int(index))
            scans.append(_tested(model, [scan_again(volume, how, generator) for _ in range(_REPEATS)]))
        values = np.stack(scans)
        within = values - values.mean(axis=1, keepdims=True)
        spread = np.sqrt((within**2).sum(axis=(0, 1)) / (len(chosen) * (_REPEATS - 1)) / model.basis.variances[:count])
        rows.append((name, *(float(value) for value in spread)))
    return Table(
        name="change-noise",
        title="What makes repeated scans differ",
        columns=("Difference alone", *(f"a{k}" for k in range(1, count + 1))),
        rows=tuple(rows),
        note=(
            f"Standard deviation of a coefficient over repeats of one subject, in standard deviations of the cohort; "
            f"{len(chosen)} training subjects with {_REPEATS} scans each."
        ),
    )


def _tested(model: RegistrationModel, volumes: list[Volume]) -> FloatArray:
    """The coefficients that are tested together, (N, K)."""
    grids = model.preprocessing
    prepared = np.stack([grids.prepare(volume, grids.grid_for(volume)) for volume in volumes])
    codes = encode_images(model, torch.from_numpy(prepared)[:, None])
    return np.asarray(model.basis.project(codes)[:, :_TESTED], dtype=np.float64)


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


def _powers(noise: RepeatNoise, kinds: list[_FollowUp], differences: FloatArray) -> list[Power]:
    found = []
    for column, kind in enumerate(kinds):
        tests = [noise.test(difference) for difference in differences[:, column]]
        found.append(
            Power(
                kind.kind,
                kind.size,
                sum(test.exceeds for test in tests),
                len(tests),
                float(np.median([test.distance_squared for test in tests])),
            )
        )
    return found


def _power_table(powers: list[Power]) -> Table:
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
            )
        )
    return Table(
        name="change-power",
        title="Changes of known size that are found at the 5 % level",
        columns=("Change", "Size", "Found (%)", "95 % from", "95 % to", "Median D²"),
        rows=tuple(rows),
        note=(
            "Each validation subject once per row, all against its one baseline. A shrinkage is a smooth local "
            "deformation, as strong as the volume asks; the tissue around fills the gap."
        ),
    )


def _first_seen(paths: list[SubjectPath]) -> str:
    """When each path's change is first more than noise."""
    parts = []
    for path in paths:
        seen = next((number for number, test in enumerate(path.tests) if test.exceeds), None)
        parts.append(f"the {path.words}: {'never seen' if seen is None else f'first seen at time point {seen}'}")
    return "; ".join(parts)


def _in_words(powers: list[Power]) -> str:
    """The smallest size of each kind that is found in at least four of five subjects."""
    parts = []
    for kind in dict.fromkeys(row.kind for row in powers):
        rows = [row for row in powers if row.kind == kind]
        seen = next((row.size for row in rows if row.hits >= 0.8 * row.trials), None)
        most = f"less than four in five even at {rows[-1].size}"
        parts.append(f"{kind}: {'from ' + seen if seen else most}")
    return f"Found in four of five subjects or more: {'; '.join(parts)}."


def _paths(workplace: Workplace, noise: RepeatNoise) -> list[SubjectPath]:
    """One subject from time point to time point, twice: losing volume, and turning."""
    volume, labels = workplace.validation.load(0)
    name, label = next(iter(workplace.model.labels.items()))
    steps = range(1, _PATH_STEPS)
    changes: dict[str, list[PullBack]] = {
        f"{name} loses {100 * _PATH_LOSS:g} % at each": [
            LocalScaling.of_volume_change(labels, label, -_PATH_LOSS * step) for step in steps
        ],
        f"anatomy turns by {_PATH_TURN:g}° at each": [
            Turned(_PATH_TURN * step, (1.0, 0.0, 0.0), volume.geometry.centre) for step in steps
        ],
    }
    found = []
    for number, (words, path) in enumerate(changes.items()):
        generator = np.random.default_rng([workplace.seed, 3, number])
        scans = [scan_again(volume, _RETEST, generator)]
        scans += [scan_again(volume, _RETEST, generator, change) for change in path]
        points = _tested(workplace.model, scans)
        found.append(SubjectPath(words, points, [noise.test(point - points[0]) for point in points]))
    return found


STAGE = Stage("longitudinal", "Change over time", "docs/change.md; the paper's outlook (section 5)", measure)
