"""The labels as a Segmentation (PS3.3, A.51), BINARY: one bit for each label and pixel of the source."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from highdicom.seg import Segmentation as SegmentationObject
from highdicom.sr import CodedConcept
from pydicom import Dataset
from pydicom.sr.coding import Code

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.concepts import ANATOMICAL_STRUCTURE, LATERALITY_CODES, LabelConcept
from bridge.objects.errors import FindingInvalidError
from bridge.objects.finding import Finding
from bridge.objects.frames import frame_stack
from bridge.objects.identity import UNSEALED, ResultIdentity
from bridge.objects.private_scheme import private_schemes

_KIND: Final = "segmentation"
_ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")
# Colours that stay apart on grey and for the colour-blind (Okabe and Ito), in the order of the segments.
_COLOURS: Final = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (204, 121, 167), (213, 94, 0))


def segmentation_object(finding: Finding, series: SeriesVolume, identity: ResultIdentity) -> Dataset:
    """The finding's labels on the series' own frames, each frame with a reference to the one it was drawn on.

    Raises:
        FindingInvalidError: the finding has no labels on the series.
        WriteBackBlockedError: the series has no place in patient space.
    """
    series.require_writable()
    labels, numbers = _on_source(finding, series)
    segments = np.zeros(labels.shape, dtype=np.uint8)
    for label, number in numbers.items():
        segments[labels == label] = number
    stack = frame_stack(series, segments)
    result = SegmentationObject(
        source_images=stack.images,
        pixel_array=stack.pixels,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_described(finding, label, number, identity) for label, number in numbers.items()],
        series_instance_uid=UNSEALED,
        series_number=identity.series_number_of(_KIND),
        sop_instance_uid=UNSEALED,
        instance_number=1,
        manufacturer=identity.manufacturer,
        manufacturer_model_name=identity.model_name,
        software_versions=identity.software_version,
        device_serial_number=identity.device_serial_number,
        content_label="LABELS",
        content_description=f"Labels {finding.label_source} by {finding.model.name} {finding.model.version}"[:64],
        coding_schemes=private_schemes(),
    )
    identity.seal(result, _KIND)
    return result


def segment_numbers(finding: Finding, series: SeriesVolume) -> dict[int, int]:
    """Label → segment number, from 1 in ascending order of the labels that the series shows."""
    return _on_source(finding, series)[1]


def segment_colours(finding: Finding) -> dict[int, tuple[int, int, int]]:
    """Label → red, green, blue, the same in every picture and object."""
    return {label: _COLOURS[number % len(_COLOURS)] for number, label in enumerate(sorted(finding.concepts))}


def label_volumes(finding: Finding, series: SeriesVolume) -> Mapping[int, float]:
    """Label → volume on the source's pixels, mm³: what summing the object's pixels gives."""
    labels, numbers = _on_source(finding, series)
    return {label: int((labels == label).sum()) * series.source_grid.voxel_volume for label in numbers}


def _on_source(finding: Finding, series: SeriesVolume) -> tuple[npt.NDArray[np.uint16], dict[int, int]]:
    if finding.segmentation is None:
        raise FindingInvalidError(f"job {finding.job}: a segmentation object needs labels, the finding has none")
    labels = series.labels_on_source(finding.segmentation)
    shown = [int(label) for label in np.unique(labels) if label != 0]
    if not shown:
        raise FindingInvalidError(f"job {finding.job}: no label lies on the series, a segmentation would be empty")
    return labels, {label: number for number, label in enumerate(shown, start=1)}


def _described(finding: Finding, label: int, number: int, identity: ResultIdentity) -> SegmentDescription:
    concept = finding.concepts[label]
    described = SegmentDescription(
        segment_number=number,
        segment_label=concept.name,
        segmented_property_category=ANATOMICAL_STRUCTURE,
        segmented_property_type=concept.structure,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=f"Eigenwarp {finding.model.name}",
            family=_ARTIFICIAL_INTELLIGENCE,
            version=finding.model.version,
            source=identity.manufacturer,
        ),
        tracking_uid=tracking_uid(identity, label),
        tracking_id=tracking_id(finding, concept),
        display_color=CIELabColor.from_rgb(*segment_colours(finding)[label]),
    )
    modifiers = [code for code in (concept.part, _side(finding)) if code is not None]
    if modifiers:
        described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
            CodedConcept.from_code(code) for code in modifiers
        ]
    return described


def tracking_uid(identity: ResultIdentity, label: int) -> str:
    """Of a label in this job, the same in every object."""
    return identity.uid("label", str(label))


def tracking_id(finding: Finding, concept: LabelConcept) -> str:
    """As ``tracking_uid``, for people; an identifier is 64 characters at most."""
    return f"{concept.name}, {finding.job}"[:64]


def _side(finding: Finding) -> Code | None:
    return None if finding.laterality is None else LATERALITY_CODES[finding.laterality]
