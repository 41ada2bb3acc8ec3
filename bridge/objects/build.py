"""The objects that a rule asks for, of one finding."""

from collections.abc import Collection

from pydicom import Dataset

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.finding import Finding
from bridge.objects.identity import OBJECT_KINDS, ObjectKind, ResultIdentity
from bridge.objects.jacobian_map import jacobian_map
from bridge.objects.measurements import measurement_report
from bridge.objects.pdf_report import pdf_report
from bridge.objects.segmentation import segmentation_object
from bridge.objects.spatial_registration import spatial_registration


def result_objects(
    finding: Finding,
    series: SeriesVolume,
    identity: ResultIdentity,
    kinds: Collection[ObjectKind] = OBJECT_KINDS,
    *,
    patient_header: bool = False,
) -> dict[ObjectKind, Dataset]:
    """The objects, in the order of ``OBJECT_KINDS``: what is referred to comes before what refers to it.

    The measurements refer to the segmentation only where it is asked for as well, so that nothing points to an object
    that the archive never gets.

    Args:
        kinds: which.
        patient_header: as ``pdf_report``.

    Raises:
        FindingInvalidError: the finding has not what an object needs.
        WriteBackBlockedError: the series has no place in patient space, and the object would need one.
    """
    made: dict[ObjectKind, Dataset] = {}
    if "segmentation" in kinds:
        made["segmentation"] = segmentation_object(finding, series, identity)
    if "measurements" in kinds:
        made["measurements"] = measurement_report(finding, series, identity, made.get("segmentation"))
    if "jacobian" in kinds:
        made["jacobian"] = jacobian_map(finding, series, identity)
    if "registration" in kinds:
        made["registration"] = spatial_registration(finding, series, identity)
    if "report" in kinds:
        made["report"] = pdf_report(finding, series, identity, patient_header=patient_header)
    return made
