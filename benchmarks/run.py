"""One run: the model, the subjects, and the sections asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.encoding import measure_encoding
from benchmarks.machine import describe
from benchmarks.precision import measure_precision
from benchmarks.registration import all_methods, measure_registration
from benchmarks.report import Report, Table
from benchmarks.section import Section
from benchmarks.service import measure_service
from benchmarks.subjects import cyclic_pairs, find_subjects
from benchmarks.training_setup import tricks
from benchmarks.training_step import measure_training_step
from eigenwarp.model.registration import RegistrationModel
from training.config import load_config

MANY = 8


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Args:
        model: a bundle's name or folder.
        data: a data set with a validation group, None for the examples.
        pairs: how many to register.
        rounds: of every repeated measurement.
        budgets: seconds of each section; one without is left out.
        threads: that every program may use.
        preset: whose training step is measured.
    """

    model: str
    data: Path | None
    pairs: int
    rounds: int
    budgets: dict[Section, float]
    threads: int
    preset: str = "hippocampus"


def run_benchmarks(plan: Plan, progress: Callable[[str], None] = lambda _: None) -> Report:
    """Measure section after section.

    Raises:
        ModelUnknownError: no such model.
        DataSetError: no subjects to measure on.
    """
    model = RegistrationModel.load(plan.model)
    subjects = find_subjects(plan.data)
    pairs = cyclic_pairs(subjects.cohort, plan.pairs)
    many = cyclic_pairs(subjects.cohort, MANY + 1)
    fixed, others = many[0].moving, [pair.moving for pair in many[1:]]
    rounds = plan.rounds

    def measure(section: Section, budget: float) -> Table:
        def tell(text: str) -> None:
            progress(f"{section}: {text}")

        match section:
            case Section.REGISTRATION:
                return measure_registration(model, pairs, all_methods(model), budget_seconds=budget, progress=tell)
            case Section.TRAINING:
                chosen = tricks(load_config(plan.preset))
                return measure_training_step(subjects.cohort, chosen, model.device, rounds, budget, tell)
            case Section.ENCODING:
                return measure_encoding(model, fixed, others, rounds, budget, tell)
            case Section.PRECISION:
                return measure_precision(model, pairs, rounds, budget, tell)
            case Section.SERVICE:
                return measure_service(model, pairs[0], rounds, budget, tell)

    machine = {"model": f"{model.bundle.name} {model.bundle.version}", **describe(model.device, plan.threads)}
    report = Report(machine=machine, subjects=subjects.description)
    for section, budget in plan.budgets.items():
        report = report.with_table(measure(section, budget))
    return report
