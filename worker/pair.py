"""The two images of a registration and their labels."""

from dataclasses import dataclass
from typing import Literal

from eigenwarp.volume import Segmentation, Volume

Source = Literal["given", "predicted"]


@dataclass(frozen=True, eq=False)
class Pair:
    """Moving and fixed image with the labels that are at hand.

    Args:
        moving_labels, fixed_labels: given, else predicted by the model's segmentation head, None without either.
        moving_given, fixed_given: whether they were given; only given labels are evidence, so only they get a Dice.
    """

    moving: Volume
    fixed: Volume
    moving_labels: Segmentation | None
    fixed_labels: Segmentation | None
    moving_given: bool
    fixed_given: bool

    @property
    def moving_source(self) -> Source | None:
        return _source(self.moving_labels, self.moving_given)

    @property
    def fixed_source(self) -> Source | None:
        return _source(self.fixed_labels, self.fixed_given)

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that either side holds, ascending."""
        held = [set(labels.labels) for labels in (self.moving_labels, self.fixed_labels) if labels is not None]
        return tuple(sorted(set().union(*held)))


def _source(labels: Segmentation | None, given: bool) -> Source | None:
    if labels is None:
        return None
    return "given" if given else "predicted"
