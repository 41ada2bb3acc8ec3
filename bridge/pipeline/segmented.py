"""The SEG that a rule takes its region of interest from: found in the series' study in the archive, and read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import Dataset

from bridge.archive import Archive
from bridge.config.regions import FromSegmentation
from bridge.dicom.region import PatientBox
from bridge.dicom.segments import SEGMENTATION_CLASSES, box_of_segments, matching_segments
from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.identity import is_result
from bridge.refusals import SegmentationAmbiguousError, SegmentationMissingError

_MODALITY = "SEG"


@dataclass(frozen=True, eq=False)
class SegmentedRegion:
    """Args: box: around the segments, margin included; sop_instance_uid: of the SEG."""

    box: PatientBox
    sop_instance_uid: str


@dataclass(frozen=True, eq=False)
class _Fitting:
    """A SEG in the series' own space with segments of the name that is wanted."""

    dataset: Dataset
    segments: tuple[int, ...]


def segmented_region(archive: Archive, wanted: FromSegmentation, series: SeriesVolume) -> SegmentedRegion:
    """The box around the wanted segments of the study's SEG.

    Of several SEGs that fit, those that name this series as what they were drawn on go before the others.

    Raises:
        SegmentationMissingError: none fits yet; says what the others lack.
        SegmentationAmbiguousError: several do.
        SegmentationUnusableError: the one that fits cannot be read, or is empty.
        ArchiveUnreachableError, ArchiveRefusedError: from the archive.
    """
    unfit: list[str] = []
    fitting = list(_fitting(archive, wanted, series, unfit))
    series_uid = str(series.datasets[0].SeriesInstanceUID)
    nearest = [one for one in fitting if series_uid in _drawn_on(one.dataset)] or fitting
    if not nearest:
        seen = "; ".join(unfit) or "the archive lists no other"
        raise SegmentationMissingError(f"the study has no {wanted.text}: {seen}")
    if len(nearest) > 1:
        names = ", ".join(repr(_description(one.dataset)) for one in nearest)
        raise SegmentationAmbiguousError(f"{len(nearest)} objects of the study are a {wanted.text}: {names}")
    (found,) = nearest
    box = box_of_segments(found.dataset, found.segments).grown(wanted.margin_mm)
    return SegmentedRegion(box, str(found.dataset.SOPInstanceUID))


def _fitting(archive: Archive, wanted: FromSegmentation, series: SeriesVolume, unfit: list[str]) -> Iterator[_Fitting]:
    """The SEGs that fit; why the others do not is added to ``unfit``."""
    source = series.datasets[0]
    for listed in archive.series_of(str(source.StudyInstanceUID)):
        # An archive that does not tell is believed once the objects are here: each of them costs a download.
        if listed.series_uid == str(source.SeriesInstanceUID) or listed.modality not in ("", _MODALITY):
            continue
        if listed.description and not _matches(wanted.series_description, listed.description):
            unfit.append(f"{listed.description!r} does not match")
            continue
        for dataset in archive.fetch(listed):
            if dataset.get("SOPClassUID") not in SEGMENTATION_CLASSES:
                continue
            segments = matching_segments(dataset, wanted.label)
            reason = _mismatch(dataset, segments, wanted, series)
            if reason is None:
                yield _Fitting(dataset, segments)
            else:
                unfit.append(f"{_description(dataset)!r} {reason}")


def _mismatch(
    dataset: Dataset, segments: tuple[int, ...], wanted: FromSegmentation, series: SeriesVolume
) -> str | None:
    if is_result(dataset):
        return "was made by a bridge"
    if not _matches(wanted.series_description, _description(dataset)):
        return "does not match"
    if str(dataset.get("FrameOfReferenceUID") or "") != series.frame_of_reference_uid:
        return "has another frame of reference than the series"
    if not segments:
        labels = ", ".join(repr(str(one.get("SegmentLabel") or "")) for one in dataset.get("SegmentSequence", ()))
        return f"has no such segment, but {labels or 'none at all'}"
    return None


def _matches(pattern: str | None, value: str) -> bool:
    return pattern is None or re.search(pattern, value) is not None


def _description(dataset: Dataset) -> str:
    return str(dataset.get("SeriesDescription") or "")


def _drawn_on(dataset: Dataset) -> set[str]:
    return {str(one.get("SeriesInstanceUID") or "") for one in dataset.get("ReferencedSeriesSequence", ())}
