"""Tables of measurements, as Markdown for people and JSON for programs."""

from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from eigenwarp.errors import FileUnreadableError


class Spread(BaseModel):
    """A mean and its standard deviation over the pairs."""

    model_config = ConfigDict(frozen=True)

    mean: float
    sd: float


Cell = float | str | Spread | None


class Column(BaseModel):
    """One column of a table.

    Args:
        name: with its unit.
        digits: after the point, for numbers.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    digits: int = 2


class Table(BaseModel):
    """One section's measurements.

    Args:
        title: what was measured.
        note: how, and over how many repetitions.
        columns: in order.
        rows: a cell for each column; None where nothing could be measured.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def markdown(self) -> str:
        lines = [f"## {self.title}", "", self.note, ""]
        lines.append("| " + " | ".join(column.name for column in self.columns) + " |")
        lines.append("|" + "|".join("---" if index == 0 else "---:" for index in range(len(self.columns))) + "|")
        for row in self.rows:
            cells = [_text(cell, column.digits) for cell, column in zip(row, self.columns, strict=True)]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


class Report(BaseModel):
    """Everything one run measured.

    Args:
        machine: what it ran on and what with, by name.
        subjects: which data it saw.
        tables: one for each section.
    """

    model_config = ConfigDict(frozen=True)

    machine: dict[str, str]
    subjects: str
    tables: tuple[Table, ...] = ()

    def with_table(self, table: Table) -> Self:
        return self.model_copy(update={"tables": (*self.tables, table)})

    def markdown(self) -> str:
        facts = "; ".join(f"{name} {value}" for name, value in self.machine.items())
        head = f"# Benchmark\n\n{self.subjects}. {facts}.\n"
        return "\n".join([head, *(table.markdown() for table in self.tables)])

    def save(self, folder: Path) -> None:
        """Write ``bench.md`` and ``bench.json``.

        Raises:
            FileUnreadableError: the folder cannot be written to.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "bench.md").write_text(self.markdown(), encoding="utf-8")
            (folder / "bench.json").write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise FileUnreadableError(f"{folder}: cannot be written to: {error.strerror}") from None


def _text(cell: Cell, digits: int) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Spread):
        return f"{cell.mean:.{digits}f} ± {cell.sd:.{digits}f}"
    # Below the last digit a plain 0.00 would read as nothing at all.
    return f"{cell:.{digits}f}" if cell == 0 or abs(cell) >= 0.5 * 10**-digits else f"{cell:.1e}"


def median(values: list[float]) -> float:
    return float(np.median(values))


def median_ratio(values: list[float], reference: list[float]) -> float:
    """The median of the ratios within each round, so that a slow moment of the machine weighs on both sides."""
    return median([value / other for value, other in zip(values, reference, strict=True)])
