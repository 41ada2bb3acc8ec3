"""A SEG as another program draws it on a series."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid


def drawn(
    series: Sequence[FileDataset],
    masks: Mapping[str, npt.NDArray[np.bool_]],
    *,
    description: str,
    seed: str,
    kind: SegmentationTypeValues = SegmentationTypeValues.BINARY,
) -> Dataset:
    """Segments by their label, each (slices, rows, columns) over the series' instances in the order of the slices.

    Args:
        kind: those of a label map do not overlap.
    """
    stacked = np.stack(list(masks.values()), axis=-1)
    return Segmentation(
        source_images=list(series),
        pixel_array=stacked.astype(np.float32 if kind is SegmentationTypeValues.FRACTIONAL else np.uint8),
        segmentation_type=kind,
        fractional_type="PROBABILITY",
        segment_descriptions=[
            SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=codes.SCT.AnatomicalStructure,
                segmented_property_type=codes.SCT.Brain,
                algorithm_type=SegmentAlgorithmTypeValues.MANUAL,
            )
            for number, label in enumerate(masks, start=1)
        ],
        series_instance_uid=generate_uid(entropy_srcs=["drawn series", seed]),
        series_number=100,
        sop_instance_uid=generate_uid(entropy_srcs=["drawn instance", seed]),
        instance_number=1,
        manufacturer="Drawers",
        manufacturer_model_name="Pencil",
        software_versions="1",
        device_serial_number="1",
        series_description=description,
    )
