"""The paper's stages on tiny models: their figures are there, their numbers are what the parts say by themselves."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from eigenwarp.model.registration import Refine, RegistrationModel
from tests.tiny_bundle import COMPONENTS
from tests.training.experiment.conftest import load_tiny
from training.data.cohort import open_cohort
from training.evaluation import evaluate
from training.experiment.encodings import encodings, transformed_encodings
from training.experiment.findings import Findings, Table
from training.experiment.known_transformations import PAPER, apply_known
from training.experiment.paper import STAGES
from training.experiment.paper.response_tables import agrees, answering, concentration_table
from training.experiment.run import Experiment, open_workplace, run_experiment
from training.experiment.stage import Workplace


@pytest.fixture(scope="module")
def made(
    tiny_bundle: Path, skips_bundle: Path, subjects: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Experiment, dict[str, Findings]]:
    """Every stage, run once."""
    experiment = Experiment(
        model=load_tiny(tiny_bundle),
        with_skips=load_tiny(skips_bundle),
        train=open_cohort(subjects, "train"),
        validation=open_cohort(subjects, "validation"),
        out=tmp_path_factory.mktemp("report"),
    )
    outcomes = run_experiment(experiment, STAGES)
    assert [outcome.failure for outcome in outcomes] == [""] * len(STAGES)
    return experiment, {o.stage.name: o.record.findings for o in outcomes if o.record is not None}


@pytest.fixture(scope="module")
def workplace(made: tuple[Experiment, dict[str, Findings]]) -> Workplace:
    return open_workplace(made[0])


def table(made: tuple[Experiment, dict[str, Findings]], stage: str, name: str) -> Table:
    (found,) = [table for table in made[1][stage].tables if table.name == name]
    return found


def column(found: Table, name: str) -> list[object]:
    return [row[found.columns.index(name)] for row in found.rows]


def test_every_name_is_one_tables_or_one_figures(made: tuple[Experiment, dict[str, Findings]]) -> None:
    tables = [table.name for findings in made[1].values() for table in findings.tables]
    figures = [figure.name for findings in made[1].values() for figure in findings.figures]
    assert len(set(tables)) == len(tables)
    assert len(set(figures)) == len(figures)
    assert {path.stem for path in (made[0].out / "figures").iterdir()} == set(figures)


def test_no_figure_is_blank_or_large(made: tuple[Experiment, dict[str, Findings]]) -> None:
    for path in (made[0].out / "figures").iterdir():
        assert path.stat().st_size < 600_000
        assert np.ptp(np.asarray(Image.open(path).convert("L"))) > 150, path.name


def test_dice_is_that_of_the_evaluation_beside_the_papers(
    made: tuple[Experiment, dict[str, Findings]], model: RegistrationModel
) -> None:
    measured = evaluate(model, made[0].validation, (Refine.NONE,))
    dice = [float(np.mean(list(m.dice.values()))) for m in measured if m.method == "none"]
    found = table(made, "dice", "dice")
    assert column(found, "network") == ["unregistered", "without skips", "with skips"]
    assert column(found, "Dice")[1] == pytest.approx(np.mean(dice))
    assert column(found, "± SD")[1] == pytest.approx(np.std(dice))
    assert column(found, "paper: Dice") == [0.59, 0.76, 0.85]
    assert column(table(made, "dice", "dice-pairs"), "without skips") == pytest.approx(dice)


def test_variance_is_the_basis_own_and_the_papers_stands_where_it_belongs(
    made: tuple[Experiment, dict[str, Findings]], model: RegistrationModel
) -> None:
    found = table(made, "explained-variance", "explained-variance")
    shares = dict(zip(column(found, "components"), column(found, "without skips (%)"), strict=True))
    assert shares[2] == pytest.approx(100 * float(model.basis.explained_variance_ratio[:2].sum()))
    assert len(table(made, "explained-variance", "scree").rows) == COMPONENTS


def test_no_strength_is_no_deformation_and_twice_the_strength_moves_further(
    made: tuple[Experiment, dict[str, Findings]],
) -> None:
    found = table(made, "strength", "strength")
    moved = dict(
        zip(column(found, "λ (latent units)"), map(float, column(found, "mean displacement (mm)")), strict=True)  # type: ignore[arg-type]
    )
    assert moved[0.0] == 0
    assert moved[200.0] > moved[100.0] > 0.1
    assert moved[-200.0] > moved[-100.0] > 0.1


def test_responses_are_medians_of_the_coefficients_changes(
    made: tuple[Experiment, dict[str, Findings]], model: RegistrationModel, workplace: Workplace
) -> None:
    transformation = PAPER[1]
    images = workplace.prepared_validation.images
    before, after = (model.network.encode(x).numpy() for x in (images, apply_known(images, transformation)))
    changes = np.abs(model.basis.project(after) - model.basis.project(before))
    (row,) = [
        row for row in table(made, "responses", "responses").rows if row[:2] == (transformation.label, "without skips")
    ]
    assert row[2:] == pytest.approx(np.median(changes, axis=0), rel=1e-3)


def test_encodings_are_made_once(workplace: Workplace) -> None:
    assert encodings(workplace, "with skips", "train") is encodings(workplace, "with skips", "train")
    first, again = (transformed_encodings(workplace, "without skips", PAPER[0]) for _ in range(2))
    assert first is again
    assert not first.flags.writeable


def rows(*values: tuple[float, ...]) -> npt.NDArray[np.float64]:
    return np.array(values)


def test_components_answer_that_reach_half_of_the_largest_median_among_the_first_ten() -> None:
    assert answering(rows((9, 1, 4), (11, 2, 4.8), (10, 1, 4.9))) == 1
    assert answering(rows((9, 1, 6), (11, 2, 5), (10, 1, 4.9))) == 2
    assert answering(rows((10, *(1,) * 9, 1000))) == 1


def test_many_are_three_or_more() -> None:
    assert [agrees(count, "many") for count in (2, 3, 10)] == [False, True, True]
    assert [agrees(count, "1") for count in (1, 2)] == [True, False]


def test_the_component_that_answers_most_is_that_of_most_subjects() -> None:
    shares = {("turn", "a"): rows((0.1, 0.6, 0.1), (0.2, 0.5, 0.1), (0.7, 0.1, 0.1))}
    (row,) = concentration_table("t", ["turn"], ["a"], shares, shares, {("turn", "a"): "1"}).rows
    assert row[:5] == ("turn", "a", 1, "1", 2)
    assert row[5:] == pytest.approx((200 / 3, 60, 70, 20))
