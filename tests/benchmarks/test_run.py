"""The command: what it writes, and how it ends for a user's mistake."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.report import Report
from benchmarks.section import SHARES, Section
from benchmarks.subjects import cyclic_pairs, find_subjects
from eigenwarp.errors import DataSetError
from tests.tiny_bundle import SHAPE
from training.data.cohort import open_cohort
from training.data.synthetic import make_cohort


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cohort(tmp_path_factory.mktemp("data") / "blobs", 5, shape=SHAPE, validation=3)


def test_pairs_are_cyclic_in_sorted_order(data: Path) -> None:
    cohort = open_cohort(data, "validation")
    a, b, c = cohort.names
    assert [pair.names for pair in cyclic_pairs(cohort, 2)] == [(a, b), (b, c)]
    assert [pair.names for pair in cyclic_pairs(cohort, 40)] == [(a, b), (b, c), (c, a)]
    first, last = cyclic_pairs(cohort, 1)[0], cyclic_pairs(cohort, 3)[2]
    assert (first.moving.data == last.fixed.data).all()
    assert (first.moving_labels.data == last.fixed_labels.data).all()


def test_without_data_the_examples_are_taken_and_called_synthetic(data: Path, tmp_path: Path) -> None:
    assert "No real data" in find_subjects(None, examples=data).description
    with pytest.raises(DataSetError, match="no data set given"):
        find_subjects(None, examples=tmp_path / "nothing")


def test_the_command_prints_and_keeps_the_tables_asked_for(data: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(data), "--model", str(tiny_bundle), "--quick", "--threads", "1", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, [*arguments, "--only", "precision", "--only", "encoding"])
    assert result.exit_code == 0, result.output
    report = Report.model_validate_json((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert [table.title for table in report.tables] == ["Precision of the decoder", "Encode once"]
    assert report.subjects == "3 validation subjects of blobs"
    assert (tmp_path / "bench.md").read_text(encoding="utf-8") in result.output


def test_an_unknown_model_ends_in_one_line(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--data", str(data), "--model", "no-such-model", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "benchmarks: error: no model 'no-such-model'" in result.output
    assert not list(tmp_path.iterdir())


def test_every_section_has_its_share_of_the_time() -> None:
    assert set(SHARES) == set(Section)
    assert sum(SHARES.values()) == pytest.approx(1)
