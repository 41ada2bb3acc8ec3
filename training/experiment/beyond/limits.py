"""An estimate and its confidence limits as three cells of a table."""

from eigenwarp.explanation import Interval


def limit_columns(heading: str) -> tuple[str, str, str]:
    """Three headings, each the only one of its name, so that a program can read the CSV file by them.

    Args:
        heading: of the estimate, with its unit in brackets at the end, if it has one.
    """
    what = heading.partition(" (")[0]
    return heading, f"{what}, 95 % from", f"{what}, 95 % to"


def limit_cells(interval: Interval, scale: float = 1.0) -> tuple[float, float, float]:
    """The cells under ``limit_columns``.

    Args:
        scale: 100 for a share in percent.
    """
    return scale * interval.estimate, scale * interval.low, scale * interval.high
