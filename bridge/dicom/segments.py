"""Where the segments of somebody's SEG lie in the patient."""

import re
from itertools import product
from typing import Final

import numpy as np
from highdicom.seg import Segmentation
from pydicom import Dataset
from pydicom.uid import UID, SegmentationStorage

from bridge.dicom.region import PatientBox
from bridge.refusals import SegmentationUnusableError

# Label Map Segmentation Storage, which pydicom has no name for yet.
SEGMENTATION_CLASSES: Final = (SegmentationStorage, UID("1.2.840.10008.5.1.4.1.1.66.7"))

# Of a fractional segment: as likely in as out.
_INSIDE: Final = 0.5


def matching_segments(segmentation: Dataset, label: str | None) -> tuple[int, ...]:
    """Numbers of the segments whose SegmentLabel matches a regular expression; of all without one.

    A label map's background is none.
    """
    return tuple(
        int(segment.SegmentNumber)
        for segment in segmentation.get("SegmentSequence", ())
        if int(segment.SegmentNumber) > 0
        and (label is None or re.search(label, str(segment.get("SegmentLabel") or "")) is not None)
    )


def box_of_segments(segmentation: Dataset, segments: tuple[int, ...]) -> PatientBox:
    """The box around every voxel of some segments, out to the voxels' own faces.

    Args:
        segmentation: with its pixels; binary, fractional (from a half on) or a label map.
        segments: by number.

    Raises:
        SegmentationUnusableError: no volume in the patient's space, or the segments are empty.
    """
    try:
        volume = Segmentation.from_dataset(segmentation, copy=False).get_volume(segment_numbers=segments)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # The text may hold what the object says of the patient.
        raise SegmentationUnusableError(
            f"the SEG cannot be read as a volume in the patient: {type(error).__name__}"
        ) from None
    voxels = np.argwhere((volume.array >= _INSIDE).any(axis=-1))
    if not len(voxels):
        raise SegmentationUnusableError(f"the SEG's segments {', '.join(map(str, segments))} hold no voxel")
    faces = np.array(list(product((-0.5, 0.5), repeat=3))) @ volume.affine[:3, :3].T
    points = voxels @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    low, high = points.min(axis=0) + faces.min(axis=0), points.max(axis=0) + faces.max(axis=0)
    return PatientBox((float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2])))
