from pathlib import Path

import pytest

from benchmarks.report import Column, Report, Spread, Table, median_ratio
from eigenwarp.errors import FileUnreadableError

TABLE = Table(
    title="Registration",
    note="Two pairs.",
    columns=(Column(name="method"), Column(name="Dice", digits=3), Column(name="folds, %"), Column(name="ratio")),
    rows=(
        ("ours", Spread(mean=0.8123, sd=0.04), 0.0, 1.0),
        ("theirs (not installed)", None, None, None),
        ("third", Spread(mean=0.7, sd=0.1), 0.0004, 12.345),
    ),
)


def test_markdown_has_a_line_for_each_row_with_the_columns_digits() -> None:
    lines = TABLE.markdown().splitlines()
    assert lines[4:] == [
        "| method | Dice | folds, % | ratio |",
        "|---|---:|---:|---:|",
        "| ours | 0.812 ± 0.040 | 0.00 | 1.00 |",
        "| theirs (not installed) | – | – | – |",
        "| third | 0.700 ± 0.100 | 4.0e-04 | 12.35 |",
    ]


def test_a_saved_report_reads_back_with_every_digit(tmp_path: Path) -> None:
    report = Report(machine={"device": "cpu"}, subjects="Two blobs").with_table(TABLE)
    report.save(tmp_path / "new" / "bench")
    text = (tmp_path / "new" / "bench" / "bench.json").read_text(encoding="utf-8")
    assert Report.model_validate_json(text) == report
    assert (tmp_path / "new" / "bench" / "bench.md").read_text(encoding="utf-8") == report.markdown()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileUnreadableError, match="file/bench"):
        Report(machine={}, subjects="").save(tmp_path / "file" / "bench")


def test_a_ratio_is_taken_within_rounds() -> None:
    """A machine ten times slower in the second round leaves the ratio alone."""
    assert median_ratio([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == 2.0
