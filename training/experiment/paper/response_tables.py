"""Tables of how the coefficients answer to known transformations, for any basis."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from training.experiment.findings import Cell, Table
from training.experiment.paper.response_boxes import shown_components

Changes = npt.NDArray[np.floating]


def response_table(
    name: str,
    labels: list[str],
    bases: list[str],
    coefficients: dict[tuple[str, str], Changes],
    shares: dict[tuple[str, str], Changes],
    unit: str = "latent units",
) -> Table:
    """Medians over the subjects of |Δa_j| and of its share, for the components that the figures show."""
    shown = shown_components(coefficients)
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        for basis in bases:
            change = np.median(coefficients[label, basis][:, :shown], axis=0)
            share = 100 * np.median(shares[label, basis][:, :shown], axis=0)
            rows.append((label, basis, f"median |Δa| ({unit})", *map(float, change)))
            rows.append((label, basis, "median share (%)", *map(float, share)))
    return Table(
        name=name,
        title="Response of the first components",
        columns=("transformation", "basis", "measure", *(str(k + 1) for k in range(shown))),
        rows=tuple(rows),
        note="Medians over the validation subjects. The share is Δa_j² over the squared norm of the whole change.",
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
        note="Shares of the squared change, medians over the validation subjects. Components that answer: one where the"
        " strongest holds half or more of what lies inside the basis, two where the two strongest do, else many. The"
        " paper judges by eye, from box plots of the first ten components.",
    )


def strongest(shares: Changes, count: int) -> float:
    """The share of the strongest components together, each subject's own, median over the subjects."""
    return float(np.median(np.sort(shares, axis=1)[:, -count:].sum(axis=1)))


def answering(shares: Changes) -> str:
    """How many components answer, of what the basis sees."""
    inside = within(shares)
    return next((word for count, word in ((1, "one"), (2, "two")) if strongest(inside, count) >= 0.5), "many")


def within(shares: Changes) -> Changes:
    """Shares of the part of the change that lies in the basis."""
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
