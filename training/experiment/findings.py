"""What a stage of an experiment found: tables, figures and a few words, as they stand in the report."""

from dataclasses import dataclass

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """One table of the report, and one CSV file.

    Args:
        name: of its file, without the ending; lower case, hyphens.
        title: above it.
        columns: headings, with units.
        rows: one cell for each column; numbers stay numbers, None is a gap.
        note: below it: what the figures mean and what they do not say.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}: a row of {len(row)} cells under {len(self.columns)} columns")


@dataclass(frozen=True)
class Figure:
    """One picture of the report.

    Args:
        name: of its PNG file in the report's ``figures`` folder, without the ending; lower case, hyphens.
        caption: below it.
    """

    name: str
    caption: str


@dataclass(frozen=True)
class Findings:
    """All that one stage found.

    Args:
        text: a paragraph or two in plain words: what was done, what came out, beside the paper's own value.
    """

    text: str
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
