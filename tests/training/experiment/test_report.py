"""The page holds all that was found, and says what is missing."""

import csv
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from tests.training.experiment.small_stages import Counted
from training.experiment.report import format_cell, write_report
from training.experiment.run import Experiment, run_experiment
from training.experiment.stage import Stage


class Page(HTMLParser):
    """What a page shows: its text, its table cells, and whatever it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.cells: list[str] = []
        self.references: list[str] = []
        self.pictures: list[tuple[str, str, str]] = []
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._cell = tag in ("td", "th")
        self.references += [values[name] for name in ("href", "src") if name in values]
        if tag == "img":
            self.pictures.append((values["src"], values["width"], values["height"]))

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._cell:
            self.cells.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def make(experiment: Experiment, stages: tuple[Stage, ...]) -> Page:
    outcomes = run_experiment(experiment, stages)
    return Page(write_report(experiment, outcomes, "eigenwarp experiment paper").read_text())


def test_the_page_holds_every_table_and_figure(experiment: Experiment) -> None:
    counted = Counted()
    page = make(experiment, (counted.stage("one"), counted.stage("two", figures=("a", "b"))))
    for name in ("one", "two"):
        assert f"Title of {name}" in page.text
        assert f"First of {name}." in page.words
        assert "Second & last." in page.words
        assert f"Table of {name}" in page.words
        assert f"tables/{name}-table.csv" in page.references
    assert page.cells[:3] == ["who", "how much (mm)", "how many"]
    assert page.cells[4:9] == ["0.333", "12", 'a, "quoted" <b>', "–", "0"]
    assert [picture[0] for picture in page.pictures] == [
        "figures/one-picture.png",
        "figures/a.png",
        "figures/b.png",
    ]
    assert all(width == height == "110" for _, width, height in page.pictures)
    assert "Picture a < of it" in page.words


def test_the_head_names_models_data_date_and_command(experiment: Experiment) -> None:
    page = make(experiment, (Counted().stage("one"),))
    record = run_experiment(experiment, (Counted().stage("one"),))[0].record
    assert record is not None
    for value in (
        f"tiny {experiment.model.bundle.version}",
        f"tiny-skips {experiment.with_skips.bundle.version}",
        "synthetic blobs",
        "6 to train on, 4 to validate",
        record.made,
        "eigenwarp experiment paper",
    ):
        assert value in page.words
    assert "Research software, not a medical device" in page.text


def test_nothing_on_the_page_is_remote_and_all_it_refers_to_is_there(experiment: Experiment) -> None:
    page = make(experiment, (Counted().stage("one"),))
    for reference in page.references:
        assert reference.startswith("#") or (experiment.out / reference).is_file()
    text = (experiment.out / "index.html").read_text()
    assert "http" not in text
    assert "@import" not in text
    assert "url(" not in text


def test_a_csv_holds_what_its_table_holds(experiment: Experiment) -> None:
    outcomes = run_experiment(experiment, (Counted().stage("one"),))
    write_report(experiment, outcomes, "")
    assert outcomes[0].record is not None
    (table,) = outcomes[0].record.findings.tables
    with (experiment.out / "tables" / "one-table.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == table.columns
    assert len(rows) == 1 + len(table.rows)
    for found, row in zip(rows[1:], table.rows, strict=True):
        for text, cell in zip(found, row, strict=True):
            assert text == "" if cell is None else type(cell)(text) == cell


def test_the_same_records_give_the_same_files(experiment: Experiment) -> None:
    stages = (Counted().stage("one"),)

    def files() -> dict[Path, tuple[bytes, int]]:
        make(experiment, stages)
        return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in experiment.out.rglob("*") if p.is_file()}

    assert files() == files()


def test_what_failed_what_was_not_run_and_what_is_out_of_date_is_said(experiment: Experiment) -> None:
    counted = Counted()
    run_experiment(experiment, (counted.stage("old"),))
    stages = (counted.stage("broken", fails=True), counted.stage("old"), counted.stage("new"))
    changed = replace(experiment, seed=5)
    outcomes = run_experiment(changed, stages, only=("broken",))
    page = Page(write_report(changed, outcomes, "").read_text())
    assert "This stage failed: RuntimeError: the instrument broke." in page.words
    assert any(word.startswith("What follows is out of date: it was made with tiny ") for word in page.words)
    assert "This stage has not been run." in page.words


def test_numbers_read_well() -> None:
    shown = [format_cell(cell) for cell in (0.8071, -12.345, 123.456, 4321.0, 0.0, 1e-7, 2.5e6, 3, None, "text")]
    assert shown == ["0.807", "−12.35", "123.5", "4321", "0", "1.0e−07", "2.5e+06", "3", "–", "text"]
