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

LONG = 20
"""Rows of a table beyond which the page folds it up."""

Marked = tuple[str, str]
"""A cell's text and its class in the page: ``text`` stands on the left, ``gap`` is faint."""


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


def format_cell(cell: Cell) -> str:
    """As a reader wants it: three or four significant digits, a dash for a gap."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return _format_float(cell)
    return str(cell)


def _format_float(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e5 or size < 5e-4:
        return f"{value:.1e}".replace("-", "−")
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:.{digits}f}".replace("-", "−")


def _head(experiment: Experiment, made: str, command: str) -> list[tuple[str, str]]:
    bundle = experiment.model.bundle
    return [
        ("without skips", describe_bundle(bundle)),
        ("with skips", describe_bundle(experiment.with_skips.bundle)),
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
    return TablePart(
        name=table.name,
        title=table.title,
        headings=tuple((name, "text" if is_text else "") for name, is_text in zip(table.columns, words, strict=True)),
        rows=tuple(
            tuple(
                (format_cell(cell), "gap" if cell is None else "text" if is_text else "")
                for cell, is_text in zip(row, words, strict=True)
            )
            for row in table.rows
        ),
        note=table.note,
    )


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
