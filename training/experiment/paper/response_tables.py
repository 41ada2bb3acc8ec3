"""Tables of how the coefficients answer to known transformations, for any basis."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from training.experiment.findings import Cell, Table
from training.experiment.paper.response_boxes import SHOWN, shown_components

Changes = npt.NDArray[np.floating]


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
    shares: Mapping[tuple[str, str], Changes],
    paper: Mapping[tuple[str, str], str],
) -> Table:
    """How few components answer.

    Args:
        shares: Δa_j² over the whole squared change, by transformation and basis, (subjects, components).
        paper: how many answer in the paper, where it says so.
    """
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        for basis in bases:
            share = shares[label, basis]
            top = share.argmax(axis=1)
            usual = int(np.bincount(top).argmax())
            one, two = strongest(share, 1), strongest(share, 2)
            rows.append(
                (
                    label,
                    basis,
                    usual + 1,
                    100 * float((top == usual).mean()),
                    100 * one,
                    100 * two,
                    100 * float(np.median(1 - share.sum(axis=1))),
                    answering(share),
                    paper.get((label, basis)),
                )
            )
    return Table(
        name=name,
        title="How few components answer",
        columns=(
            "transformation",
            "basis",
            "component that answers most, in most subjects",
            "in so many subjects (%)",
            "share of the strongest (%)",
            "share of the two strongest (%)",
            "outside the basis (%)",
            "components that answer",
            "paper",
        ),
        rows=tuple(rows),
        note="Shares of the squared latent change, medians over the validation subjects. Components that answer: one"
        " where the strongest holds half or more of what the first ten see together, two where the two strongest do,"
        " else many; the paper judges by eye, from box plots of those ten. What lies outside the basis,"
        " nobody explains.",
    )


def strongest(shares: Changes, count: int) -> float:
    """The share of the strongest components together, each subject's own, median over the subjects."""
    return float(np.median(np.sort(shares, axis=1)[:, -count:].sum(axis=1)))


def answering(shares: Changes) -> str:
    """How many components answer: one that holds half of what the first ten see, two that do so together, or many."""
    inside = within(shares)
    return next((word for count, word in ((1, "one"), (2, "two")) if strongest(inside, count) >= 0.5), "many")


def within(shares: Changes) -> Changes:
    """Shares of what the first ten components see, which is what the paper's box plots show."""
    first = shares[:, :SHOWN]
    return np.asarray(first / first.sum(axis=1, keepdims=True))
