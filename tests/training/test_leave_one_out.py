"""One subject left out at a time, on blobs and a network that is trained for a few steps."""

import json
from pathlib import Path

import pytest

from eigenwarp.errors import DataSetError
from eigenwarp.model.bundle import load_bundle
from tests.training.cohorts import SHAPE, small_config
from training.data.cohort import Cohort, open_cohort
from training.data.enlarge import Enlargement
from training.data.synthetic import make_cohort
from training.evaluation import PairMeasurement
from training.leave_one_out import FoldReport, leave_one_out

HOW = Enlargement(copies=2, validation_copies=1, diaphragm_mm=0, chest=0, steepness=0.3)
CONFIG = small_config(labels={"head": 1, "body": 2}).with_steps(2)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return open_cohort(make_cohort(tmp_path_factory.mktemp("few") / "blobs", 3, shape=SHAPE))


def test_every_pair_of_the_subject_left_out_is_measured_before_and_after(few: Cohort, tmp_path: Path) -> None:
    name = few.names[1]
    steps: list[float] = []
    report = FoldReport(step=lambda figures: steps.append(figures["step"]))
    measured = leave_one_out(CONFIG, few, tmp_path, HOW, data="blobs", components=3, only=name, report=report)
    assert steps == [1, 2]
    assert [row.method for row in measured] == ["unregistered", "none"] * 4
    assert all(name in (row.moving, row.fixed) for row in measured)
    assert {(row.moving, row.fixed) for row in measured} == {
        pair for other in (few.names[0], few.names[2]) for pair in ((name, other), (other, name))
    }
    # Nothing of the one left out was trained on.
    split = json.loads((tmp_path / name / "data" / "split.json").read_text())
    assert not any(subject.startswith(name) for group in split.values() for subject in group)
    made = load_bundle(tmp_path / name / "bundle").manifest.provenance
    assert f"blobs, without {name}; Trained on 2 subjects" in made.data
    assert (made.training_subjects, made.validation_subjects) == (6, 2)


def test_a_fold_that_is_done_is_read(few: Cohort, tmp_path: Path) -> None:
    row = PairMeasurement("none", "a", "b", {"head": 0.5, "body": 0.25}, {"head": 1.0, "body": 1.0}, 0.0, 0.1, 0.2)
    folder = tmp_path / few.names[0]
    folder.mkdir()
    (folder / "pairs.json").write_text(json.dumps([vars(row)]))
    assert leave_one_out(CONFIG, few, tmp_path, HOW, data="blobs", only=few.names[0]) == [row]


def test_who_cannot_be_left_out_is_named(few: Cohort, tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no subject 'nobody'"):
        leave_one_out(CONFIG, few, tmp_path, HOW, data="blobs", only="nobody")
    with pytest.raises(DataSetError, match="at least three subjects, got 2"):
        leave_one_out(CONFIG, Cohort(few.subjects[:2]), tmp_path, HOW, data="blobs")
