"""Which subjects are registered: real ones where they are at hand, else the synthetic examples."""

from dataclasses import dataclass
from pathlib import Path

from eigenwarp.errors import DataSetError
from eigenwarp.volume import Segmentation, Volume
from training.data.cohort import Cohort, open_cohort

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Subjects:
    """A cohort and how the report names it."""

    cohort: Cohort
    description: str


@dataclass(frozen=True, eq=False)
class Pair:
    """Two subjects, each with its labels on its own grid.

    Args:
        names: (moving, fixed).
    """

    names: tuple[str, str]
    moving: Volume
    moving_labels: Segmentation
    fixed: Volume
    fixed_labels: Segmentation


def find_subjects(data: Path | None, examples: Path = EXAMPLES) -> Subjects:
    """The validation subjects of a data set, or the examples where none is given.

    Raises:
        DataSetError: neither is there, or the one given cannot be read.
    """
    if data is not None:
        cohort = open_cohort(data, "validation")
        return Subjects(cohort, f"{len(cohort)} validation subjects of {data.name}")
    if not examples.is_dir():
        raise DataSetError(f"no data set given, and no examples in {examples}")
    cohort = open_cohort(examples)
    return Subjects(cohort, f"No real data at hand: {len(cohort)} synthetic subjects of examples/")


def cyclic_pairs(cohort: Cohort, count: int) -> list[Pair]:
    """The first pairs of each subject onto the next in sorted order, cyclic.

    Args:
        count: at most; a cohort has as many pairs as subjects.

    Raises:
        DataSetError: fewer than two subjects, or one without a segmentation.
    """
    size = len(cohort)
    if size < 2:
        raise DataSetError(f"a pair needs two subjects, the data set has {size}")
    count = min(count, size)
    loaded = [cohort.load(index % size) for index in range(count + 1)]
    names = [cohort.names[index % size] for index in range(count + 1)]
    return [Pair((names[index], names[index + 1]), *loaded[index], *loaded[index + 1]) for index in range(count)]
