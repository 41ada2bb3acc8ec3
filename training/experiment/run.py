"""Runs an experiment's stages in order, and only those whose findings are missing or no longer hold."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from eigenwarp.errors import OptionInvalidError
from eigenwarp.model.registration import RegistrationModel
from training.data.cohort import Cohort
from training.experiment.findings import Findings
from training.experiment.pictures import compact
from training.experiment.record import (
    PNG,
    Fingerprint,
    Record,
    describe_bundle,
    hash_subjects,
    read_record,
    remove_superseded,
    write_record,
)
from training.experiment.source_version import source_version
from training.experiment.stage import Stage, Workplace
from training.tensors import prepare_cohort

OnShare = Callable[[Stage, float], None]
"""Told which stage runs, and the share of all stages' work that is done, each counted the same."""

OnFailure = Callable[[Stage, Exception], None]
"""Told of a stage that failed; called where the exception is handled."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """What is run on what.

    Args:
        model: without skips.
        with_skips: the ablation.
        train, validation: subjects in their files.
        out: folder of the report.
        seed: of everything random.
    """

    model: RegistrationModel
    with_skips: RegistrationModel
    train: Cohort
    validation: Cohort
    out: Path
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """How it stands with one stage.

    Args:
        record: what was found, now or by an earlier call.
        current: whether the record's fingerprint is the present one.
        ran: whether this call ran the stage.
        failure: what it failed with.
    """

    stage: Stage
    record: Record | None
    current: bool
    ran: bool = False
    failure: str = ""


def run_experiment(
    experiment: Experiment,
    stages: tuple[Stage, ...],
    *,
    only: tuple[str, ...] = (),
    on_share: OnShare = lambda stage, share: None,
    on_failure: OnFailure = lambda stage, error: None,
) -> list[Outcome]:
    """Run what is due. A stage that fails leaves the others alone, and is due again in the next call.

    Args:
        only: names of the stages to run; all by default.

    Raises:
        OptionInvalidError: a name that no stage has; those that there are are listed.
        DataSetError: a subject that cannot be read.
    """
    names = [stage.name for stage in stages]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise OptionInvalidError(f"there is no stage {unknown[0]!r}; there are: {', '.join(names)}")
    if len(set(names)) != len(names):
        raise OptionInvalidError(f"two stages share a name: {', '.join(names)}")
    subjects = hash_subjects(experiment.train, experiment.validation)

    @cache
    def workplace() -> Workplace:
        return open_workplace(experiment)

    outcomes = []
    wanted = [stage for stage in stages if not only or stage.name in only]
    for stage in stages:
        fingerprint = Fingerprint(
            model=describe_bundle(experiment.model.bundle),
            with_skips=describe_bundle(experiment.with_skips.bundle),
            subjects=subjects,
            seed=experiment.seed,
            code=source_version(stage.run),
        )
        known = read_record(experiment.out, stage.name)
        current = known is not None and known.fingerprint == fingerprint
        if current or stage not in wanted:
            outcomes.append(Outcome(stage, known, current))
            continue
        place = workplace()
        before = wanted.index(stage)

        def report(share: float, stage: Stage = stage, before: int = before) -> None:
            on_share(stage, (before + min(max(share, 0.0), 1.0)) / len(wanted))

        report(0.0)
        try:
            record = _run(stage, place, fingerprint, experiment.out, report)
            if known is not None:
                remove_superseded(experiment.out, known, record)
        # Whatever a stage fails with, the others have their turn; the caller is told, with the traceback at hand.
        except Exception as error:
            on_failure(stage, error)
            outcomes.append(Outcome(stage, known, False, ran=True, failure=_words(error)))
        else:
            outcomes.append(Outcome(stage, record, True, ran=True))
        report(1.0)
    return outcomes


def open_workplace(experiment: Experiment) -> Workplace:
    """Read and prepare both groups of subjects.

    Raises:
        OptionInvalidError: the two models differ in grid or labels, so that nothing can be compared.
    """
    model, other = experiment.model, experiment.with_skips
    if model.preprocessing != other.preprocessing or model.labels != other.labels:
        raise OptionInvalidError(
            f"models {model.bundle.name!r} and {other.bundle.name!r} differ in preprocessing or labels"
        )
    labels = tuple(model.labels.values())
    figures = experiment.out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    return Workplace(
        model=model,
        with_skips=other,
        train=experiment.train,
        validation=experiment.validation,
        prepared_train=prepare_cohort(experiment.train, model.preprocessing, labels),
        prepared_validation=prepare_cohort(experiment.validation, model.preprocessing, labels),
        figures=figures,
        seed=experiment.seed,
    )


def _run(
    stage: Stage, workplace: Workplace, fingerprint: Fingerprint, out: Path, report: Callable[[float], None]
) -> Record:
    started = time.perf_counter()
    findings = stage.run(workplace, report)
    _compact_figures(findings, workplace.figures)
    record = Record(
        fingerprint=fingerprint,
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=round(time.perf_counter() - started, 1),
        findings=findings,
    )
    write_record(out, stage.name, record)
    return record


def _compact_figures(findings: Findings, folder: Path) -> None:
    for figure in findings.figures:
        path = folder / f"{figure.name}{PNG}"
        if not path.is_file():
            raise FileNotFoundError(f"the stage names a figure {figure.name!r} and left no {path.name}")
        compact(path)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
