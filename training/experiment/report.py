"""The report of an experiment: one page, its tables as CSV, its pictures as PNG; nothing in it is remote."""

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from training.experiment.findings import Cell, Table
from training.experiment.record import CSV, PNG, describe_bundle
from training.experiment.run import Experiment, Outcome

TITLE = "Exploring Deep Registration Latent Spaces: the experiments, and what goes beyond them"

LONG = 16
"""Rows of a table beyond which the page folds it up."""

SHORT = 32
"""Characters of a text that is not broken."""

Marked = tuple[str, str]
"""A cell's text and its classes in the page: ``text`` stands on the left, ``short`` on one line, ``gap`` is faint."""


@dataclass(frozen=True)
class TablePart:
    """A table as the page shows it."""

    name: str
    title: str
    headings: tuple[Marked, ...]
    rows: tuple[tuple[Marked, ...], ...]
    note: str

    @property
    def long(self) -> bool:
        """Whether it is folded up, below the pictures."""
        return len(self.rows) > LONG


@dataclass(frozen=True)
class FigurePart:
    """A picture as the page shows it, its size in pixels."""

    name: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class SectionPart:
    """One stage as the page shows it."""

    name: str
    title: str
    source: str
    made: str
    seconds: float | None
    warning: str
    paragraphs: tuple[str, ...]
    tables: tuple[TablePart, ...]
    figures: tuple[FigurePart, ...]


def write_report(experiment: Experiment, outcomes: list[Outcome], command: str) -> Path:
    """Write ``index.html`` and ``tables/*.csv`` from the records.

    The date is that of the newest record, so that the same records give the same files.

    Args:
        command: how to make it again.

    Returns:
        The page.
    """
    out = experiment.out
    records = [outcome.record for outcome in outcomes if outcome.record is not None]
    tables = {table.name: table for record in records for table in record.findings.tables}
    (out / "tables").mkdir(parents=True, exist_ok=True)
    for table in tables.values():
        _write(out / "tables" / f"{table.name}{CSV}", to_csv(table))
    environment = Environment(
        loader=PackageLoader("training", "experiment"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template("report.html").render(
        title=TITLE,
        head=_head(experiment, max((record.made for record in records), default="nothing was found"), command),
        sections=[_section(out, outcome) for outcome in outcomes],
    )
    _write(out / "index.html", page)
    return out / "index.html"


def to_csv(table: Table) -> str:
    """Headings and rows; numbers in full, a gap is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()


def format_columns(table: Table) -> list[list[str]]:
    """The columns as a reader wants them: numbers with as many decimals as the largest needs, a dash for a gap.

    Columns that are headed by a number alone are one quantity of several components, and share their decimals.
    """
    columns = [[row[index] for row in table.rows] for index in range(len(table.columns))]
    numbered = [name.isdigit() for name in table.columns]
    shared = [cell for column, is_numbered in zip(columns, numbered, strict=True) if is_numbered for cell in column]
    return [
        [_format(cell, _decimals(shared if is_numbered else column)) for cell in column]
        for column, is_numbered in zip(columns, numbered, strict=True)
    ]


def _decimals(cells: list[Cell]) -> int:
    largest = max((abs(cell) for cell in cells if isinstance(cell, float)), default=0.0)
    return next((digits for digits, limit in enumerate((1000, 100, 10)) if largest >= limit), 3)


def _format(cell: Cell, decimals: int) -> str:
    if cell is None:
        return "–"
    if not isinstance(cell, float):
        return str(cell)
    fixed = f"{cell:.{decimals}f}"
    vanishes = cell != 0 and float(fixed) == 0
    shown = f"{cell:.1e}" if vanishes or abs(cell) >= 1e6 else fixed
    return shown.replace("-", "−")


def _head(experiment: Experiment, made: str, command: str) -> list[tuple[str, str]]:
    bundle = experiment.model.bundle
    other = experiment.other_seed
    return [
        ("without skips", describe_bundle(bundle)),
        ("with skips", describe_bundle(experiment.with_skips.bundle)),
        *([] if other is None else [("another seed", describe_bundle(other.bundle))]),
        ("data", bundle.manifest.provenance.data),
        ("subjects", f"{len(experiment.train)} to train on, {len(experiment.validation)} to validate"),
        ("seed", str(experiment.seed)),
        ("made", made),
        ("command", command),
    ]


def _section(out: Path, outcome: Outcome) -> SectionPart:
    stage, record = outcome.stage, outcome.record
    findings = None if record is None else record.findings
    return SectionPart(
        name=stage.name,
        title=stage.title,
        source=stage.source,
        made="" if record is None else record.made,
        seconds=None if record is None else record.seconds,
        warning=_warning(outcome),
        paragraphs=() if findings is None else tuple(filter(None, map(str.strip, findings.text.split("\n\n")))),
        tables=() if findings is None else tuple(_table(table) for table in findings.tables),
        figures=()
        if findings is None
        else tuple(
            FigurePart(figure.name, figure.caption, *_size(out / "figures" / f"{figure.name}{PNG}"))
            for figure in findings.figures
        ),
    )


def _warning(outcome: Outcome) -> str:
    parts = []
    if outcome.failure:
        parts.append(f"This stage failed: {outcome.failure}.")
    if outcome.record is None and not outcome.failure:
        parts.append("This stage has not been run.")
    if outcome.record is not None and not outcome.current:
        made_with = outcome.record.fingerprint
        parts.append(f"What follows is out of date: it was made with {made_with.model} and {made_with.with_skips}.")
    return " ".join(parts)


def _table(table: Table) -> TablePart:
    # A column of words stands on the left, one of numbers on the right, whatever gaps it has.
    words = [any(isinstance(row[index], str) for row in table.rows) for index in range(len(table.columns))]
    columns = format_columns(table)
    return TablePart(
        name=table.name,
        title=table.title,
        headings=tuple((name, "text" if is_text else "") for name, is_text in zip(table.columns, words, strict=True)),
        rows=tuple(
            tuple(
                (texts[number], _kind(cell, is_text)) for cell, texts, is_text in zip(row, columns, words, strict=True)
            )
            for number, row in enumerate(table.rows)
        ),
        note=table.note,
    )


def _kind(cell: Cell, is_text: bool) -> str:
    if cell is None:
        return "gap text" if is_text else "gap"
    return ("text short" if len(str(cell)) <= SHORT else "text") if is_text else ""


def _size(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        return image.size


def _write(path: Path, text: str) -> None:
    """Written only where it differs, and then whole or not at all."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)
