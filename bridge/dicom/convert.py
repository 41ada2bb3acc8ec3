"""From the instances of a series to a volume, strictly: whatever is not one even stack of slices is refused by name."""

from collections.abc import Sequence

from pydicom import Dataset

from bridge.dicom.series_volume import SeriesVolume
from bridge.dicom.tolerances import DEFAULT_TOLERANCES, NO_OVERRIDES, Overrides, Tolerances


def convert_series(
    datasets: Sequence[Dataset], tolerances: Tolerances = DEFAULT_TOLERANCES, overrides: Overrides = NO_OVERRIDES
) -> SeriesVolume:
    """See the final version."""
    raise NotImplementedError
