"""How well a model registers a person it has never seen, where people are few: one left out at a time."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from eigenwarp.errors import DataSetError
from eigenwarp.model.registration import Refine, RegistrationModel
from training.config import TrainingConfig
from training.data.cohort import Cohort, open_cohort
from training.data.enlarge import Enlargement, enlarge
from training.evaluation import UNREGISTERED, PairMeasurement, centre_alignment, measure_field
from training.export import export_bundle
from training.loop import train
from training.tensors import prepare_cohort

_MEASURED = "pairs.json"


@dataclass(frozen=True)
class FoldReport:
    """Who is told how a fold goes on; nobody by default.

    Args:
        begun: with the name of the subject left out.
        step: with the figures of a training step.
        pair: with each measured pair.
    """

    begun: Callable[[str], None] = field(default=lambda _: None)
    step: Callable[[dict[str, float]], None] = field(default=lambda _: None)
    pair: Callable[[PairMeasurement], None] = field(default=lambda _: None)


def leave_one_out(
    config: TrainingConfig,
    cohort: Cohort,
    out: Path,
    how: Enlargement,
    *,
    data: str,
    components: int = 32,
    only: str | None = None,
    report: FoldReport | None = None,
) -> list[PairMeasurement]:
    """Train on the enlarged cohort of all but one, and register the pairs that involve the one left out, both ways.

    Each fold has its folder, with the enlarged cohort, the run and the bundle; a run that was broken off goes on, and a
    fold that is done is read.

    Args:
        cohort: segmented subjects, three or more.
        data: the data set's name for the cards; never a path.
        only: the fold to do, by its subject's name; all by default.

    Returns:
        Every pair before and after, in the order of the folds.

    Raises:
        DataSetError: fewer than three subjects, or no such subject.
    """
    if len(cohort) < 3:
        raise DataSetError(f"leaving one out takes at least three subjects, got {len(cohort)}")
    if only is not None and only not in cohort.names:
        raise DataSetError(f"no subject {only!r} to leave out; there are {', '.join(cohort.names)}")
    told = report or FoldReport()
    measured: list[PairMeasurement] = []
    for index, name in enumerate(cohort.names):
        if only is None or name == only:
            told.begun(name)
            measured += _fold(config, cohort, index, out / name, how, data, components, told)
    return measured


def _fold(
    config: TrainingConfig,
    cohort: Cohort,
    left_out: int,
    folder: Path,
    how: Enlargement,
    data: str,
    components: int,
    told: FoldReport,
) -> list[PairMeasurement]:
    done = folder / _MEASURED
    if done.is_file():
        return [PairMeasurement(**row) for row in json.loads(done.read_text())]
    others = Cohort(tuple(s for i, s in enumerate(cohort.subjects) if i != left_out))
    enlarged = folder / "data"
    if not enlarged.exists():
        enlarge(others, enlarged, how)
    labels = tuple(config.labels.values())
    subjects, validation = (
        prepare_cohort(open_cohort(enlarged, group), config.preprocessing, labels) for group in ("train", "validation")
    )
    train(config, subjects, validation, folder / "run", report=told.step)
    kept = min(components, len(subjects) - 1)
    bundle = folder / "bundle"
    export_bundle(
        folder / "run",
        subjects,
        len(validation),
        bundle,
        data=f"{data}, without {cohort.names[left_out]}; {how.describe(len(others))}",
        components=kept,
    )
    model = RegistrationModel.load(str(bundle))
    pairs = [pair for i in range(len(cohort)) if i != left_out for pair in ((left_out, i), (i, left_out))]
    measured = []
    for moving, fixed in pairs:
        for row in measure_pair(model, cohort, moving, fixed):
            measured.append(row)
            told.pair(row)
    done.write_text(json.dumps([asdict(row) for row in measured], indent=1) + "\n")
    return measured


def measure_pair(model: RegistrationModel, cohort: Cohort, moving: int, fixed: int) -> list[PairMeasurement]:
    """One pair before (grid centres on each other) and after registration, in the fixed subject's own grid."""
    moving_volume, moving_labels = cohort.load(moving)
    fixed_volume, fixed_labels = cohort.load(fixed)
    found = model.register(moving_volume, fixed_volume)
    names = (cohort.names[moving], cohort.names[fixed])
    before = centre_alignment(model, moving_volume, fixed_volume)
    return [
        measure_field(UNREGISTERED, names, moving_labels, fixed_labels, before, model.labels, 0.0),
        measure_field(
            Refine.NONE.value,
            names,
            moving_labels,
            fixed_labels,
            found.field,
            model.labels,
            sum(found.timings.values()),
        ),
    ]
