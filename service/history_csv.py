"""A subject's history as a table: one line for each projection, one column for each coefficient."""

import csv
import io

from eigenwarp.schemas.subjects import History

_FIRST = (
    "subject",
    "acquired_at",
    "recorded_at",
    "job",
    "volume",
    "model",
    "model_version",
    "mahalanobis",
    "mahalanobis_percentile",
    "reconstruction_residual",
)
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def history_csv(history: History) -> str:
    """RFC 4180, header first. Columns never change place: those of ``_FIRST``, then a_1 … a_K, then z_1 … z_K.

    K is that of the largest basis in the history; a line of a smaller one ends its coefficients with empty cells.
    """
    count = max((len(row.projection.coefficients) for row in history.rows), default=0)
    numbers = range(1, count + 1)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_FIRST, *(f"a_{k}" for k in numbers), *(f"z_{k}" for k in numbers)])
    for row in history.rows:
        found = row.projection
        writer.writerow(
            [
                _harmless(history.subject),
                row.acquired_at.isoformat() if row.acquired_at else "",
                row.recorded_at.isoformat(),
                _harmless(row.job),
                _harmless(row.volume),
                _harmless(found.model.name),
                _harmless(found.model.version),
                found.mahalanobis,
                found.mahalanobis_percentile,
                found.reconstruction_residual,
                *_padded(found.coefficients, count),
                *_padded(found.z_scores, count),
            ]
        )
    return text.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _padded(values: list[float], count: int) -> list[float | str]:
    return [*values, *[""] * (count - len(values))]
