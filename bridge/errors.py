"""What can be wrong with a DICOM series: each defect its own error, never a volume that is only nearly right.

Instances are named by their InstanceNumber and their place in the order of arrival, no patient's data and no UID: these
texts reach logs and states. ``code`` is stable, as those of ``eigenwarp.errors``.
"""

from eigenwarp.errors import EigenwarpError


class SeriesDefectError(EigenwarpError):
    """A series cannot be taken as a volume as it is; the subclass says why."""

    code = "series-defect"


class MissingSliceError(SeriesDefectError):
    """The slices leave a gap."""

    code = "series-slice-missing"


class DuplicatePositionError(SeriesDefectError):
    """Several frames lie at one position: the same slice twice, or several time points or echoes."""

    code = "series-position-repeated"


class MixedSeriesError(SeriesDefectError):
    """Instances that do not belong together: orientations (a scout), matrices, spacings, spaces, series."""

    code = "series-mixed"


class ShearedStackError(SeriesDefectError):
    """The slices are not stacked along their normal, as under a tilted gantry."""

    code = "series-sheared"


class AttributeMissingError(SeriesDefectError):
    """An attribute that the geometry needs is missing or has no usable value."""

    code = "series-attribute-missing"


class NoFrameOfReferenceError(SeriesDefectError):
    """Without a frame of reference results cannot be written back in patient space."""

    code = "series-no-frame-of-reference"


class IrregularGeometryError(SeriesDefectError):
    """Directions off right angles or unit length, or slices off an even stack, by more than the tolerance."""

    code = "series-irregular"


class TooFewSlicesError(SeriesDefectError):
    """No frame, or a single one: no volume."""

    code = "series-too-few-slices"


class PixelDataError(SeriesDefectError):
    """The pixels are missing, no grey values, cut short, or in a transfer syntax that is not read."""

    code = "series-pixels-unreadable"


class WriteBackBlockedError(SeriesDefectError):
    """Results are asked for in patient space, where the series' own geometry does not lie."""

    code = "series-write-back-blocked"


class RegionOutsideError(SeriesDefectError):
    """The region of interest and the series do not meet."""

    code = "region-outside-series"


class RegionTooSmallError(SeriesDefectError):
    """Too little of the series lies in the region of interest."""

    code = "region-too-small"
