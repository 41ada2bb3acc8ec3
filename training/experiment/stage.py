"""One stage of an experiment and what it works with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eigenwarp.model.registration import RegistrationModel
from training.data.cohort import Cohort
from training.experiment.findings import Findings
from training.tensors import PreparedCohort

OnProgress = Callable[[float], None]
"""Told how much of a stage is done, from 0 to 1."""


@dataclass(frozen=True, eq=False)
class Workplace:
    """What every stage may use.

    Args:
        model: without skips, whose basis is looked at.
        with_skips: the ablation.
        train, validation: subjects in their files.
        prepared_train, prepared_validation: the same on the model's grid.
        figures: folder for the stage's PNG files.
        seed: of everything random.
        other_seed: a model without skips trained from another seed, to see what depends on it.
    """

    model: RegistrationModel
    with_skips: RegistrationModel
    train: Cohort
    validation: Cohort
    prepared_train: PreparedCohort
    prepared_validation: PreparedCohort
    figures: Path
    seed: int = 0
    other_seed: RegistrationModel | None = None


@dataclass(frozen=True)
class Stage:
    """One stage.

    Args:
        name: of its record in the report's folder; lower case, hyphens.
        title: its heading.
        source: the paper's section or figure, or ``docs/explanations.md``'s heading.
        run: measures; the same workplace gives the same findings.
    """

    name: str
    title: str
    source: str
    run: Callable[[Workplace, OnProgress], Findings]
