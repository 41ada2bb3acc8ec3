"""Tables of how the coefficients answer to known transformations, for any basis."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from training.experiment.findings import Cell, Table
from training.experiment.paper.response_boxes import SHOWN, shown_components

Changes = npt.NDArray[np.floating]
MANY = 3


def response_table(
    name: str, title: str, labels: list[str], bases: list[str], values: Mapping[tuple[str, str], Changes], note: str
) -> Table:
    """Medians over the subjects, for the components that the figures show.

    Args:
        title: what the values are, with the unit.
        values: by transformation and basis, (subjects, components).
    """
    shown = shown_components(values)
    return Table(
        name=name,
        title=title,
        columns=("transformation", "basis", *(str(k + 1) for k in range(shown))),
        rows=tuple(
            (label, basis, *map(float, np.median(values[label, basis][:, :shown], axis=0)))
            for label in labels
            for basis in bases
        ),
        note=note,
    )


def concentration_table(
    name: str,
    labels: list[str],
    bases: list[str],
    changes: Mapping[tuple[str, str], Changes],
    shares: Mapping[tuple[str, str], Changes],
    paper: Mapping[tuple[str, str], str],
) -> Table:
    """How few components answer.

    Args:
        changes: |Δa_j| by transformation and basis, (subjects, components).
        shares: Δa_j² over the whole squared change, likewise.
        paper: how many answer in the paper, where it says so.
    """
    rows: list[tuple[Cell, ...]] = []
    for key in ((label, basis) for label in labels for basis in bases):
        top = shares[key].argmax(axis=1)
        usual = int(np.bincount(top).argmax())
        rows.append(
            (
                *key,
                answering(changes[key]),
                paper.get(key),
                usual + 1,
                100 * float((top == usual).mean()),
                100 * strongest(shares[key], 1),
                100 * strongest(shares[key], 2),
                100 * float(np.median(1 - shares[key].sum(axis=1))),
            )
        )
    return Table(
        name=name,
        title="How few components answer",
        columns=(
            "transformation",
            "basis",
            "components that answer",
            "paper",
            "top component",
            "in subjects (%)",
            "top share (%)",
            "top two (%)",
            "outside basis (%)",
        ),
        rows=tuple(rows),
        note="Components that answer: those of the first ten whose median |Δa| is at least half of the largest, as one"
        " reads the box plots below; the paper counts by eye. Top component: the strongest in most subjects, and in how"
        " many. Shares: of the squared change, each subject's own strongest, medians over the subjects. What lies"
        " outside the basis no component explains.",
    )


def answering(changes: Changes) -> int:
    """How many of the first ten components answer: their median |Δa| is at least half of the largest."""
    medians = np.median(changes[:, :SHOWN], axis=0)
    return int((medians >= medians.max() / 2).sum())


def agrees(count: int, paper: str) -> bool:
    """Whether so many components are what the paper says, where ``many`` are three or more."""
    return count >= MANY if paper == "many" else str(count) == paper


def strongest(shares: Changes, count: int) -> float:
    """The share of the strongest components together, each subject's own, median over the subjects."""
    return float(np.median(np.sort(shares, axis=1)[:, -count:].sum(axis=1)))
