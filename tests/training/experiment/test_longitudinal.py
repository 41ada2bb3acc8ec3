"""The stage on a tiny model: figures and tables."""

from pathlib import Path

import pytest

from eigenwarp.model.registration import RegistrationModel
from training.data.cohort import open_cohort
from training.experiment import longitudinal
from training.experiment.stage import Workplace
from training.tensors import prepare_cohort


@pytest.fixture
def workplace(model: RegistrationModel, subjects: Path, tmp_path: Path) -> Workplace:
    train, validation = (open_cohort(subjects, group) for group in ("train", "validation"))
    prepared = [prepare_cohort(cohort, model.preprocessing, (1, 2)) for cohort in (train, validation)]
    return Workplace(model, model, train, validation, prepared[0], prepared[1], tmp_path / "figures")


def test_changes_are_measured_and_drawn(workplace: Workplace) -> None:
    told: list[float] = []
    found = longitudinal.STAGE.run(workplace, told.append)
    assert told == sorted(told)
    assert told[-1] <= 1
    sources, alarms, powers = found.tables
    spread = {row[0]: row[1:] for row in sources.rows}
    # A gain is taken out by the preprocessing; a shift is not.
    assert max(float(value or 0) for value in spread["gain"]) < 0.01
    assert max(float(value or 0) for value in spread["position"]) > 0.05
    assert [row[0] for row in alarms.rows] == ["Hotelling's F"] * 2 + ["calibrated"] * 2
    assert alarms.rows[0][5] == 2 * len(workplace.validation)
    assert [row[0] for row in powers.rows].count("head shrinks") == 5
    for figure in found.figures:
        assert (workplace.figures / f"{figure.name}.png").read_bytes().startswith(b"\x89PNG")
