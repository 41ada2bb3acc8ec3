"""The Segmentation, read back with highdicom and, pixel by pixel, with nothing but pydicom."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset
from scipy.spatial import cKDTree

from bridge.dicom.convert import convert_series
from bridge.errors import WriteBackBlockedError
from bridge.objects.errors import FindingInvalidError
from bridge.objects.identity import ResultIdentity
from bridge.objects.jacobian_map import jacobian_map
from bridge.objects.segmentation import label_volumes, segment_numbers, segmentation_object
from eigenwarp.volume import Segmentation
from tests.bridge import phantom
from tests.bridge.objects.conftest import Case
from tests.bridge.objects.findings import finding_of, labels_of
from tests.bridge.objects.written import read_again


@pytest.fixture
def written(case: Case, identity: ResultIdentity) -> Dataset:
    return read_again(segmentation_object(case.finding, case.series, identity))


def test_highdicom_reads_the_labels_where_the_source_lies(case: Case, written: Dataset) -> None:
    volume = hd.seg.Segmentation.from_dataset(written).get_volume(combine_segments=True)
    matched = volume.match_geometry(case.series.source_geometry, tol=1e-3)
    np.testing.assert_array_equal(matched.array, phantom.labels(case.stack))


def test_each_frame_lies_in_the_patient_where_its_pixels_say(case: Case, written: Dataset) -> None:
    """The places of a segment's pixels, by hand from each frame's own position, are those of the phantom's blob."""
    frames = np.unpackbits(np.frombuffer(written.PixelData, dtype=np.uint8), bitorder="little")
    frames = frames[: written.NumberOfFrames * written.Rows * written.Columns]
    frames = frames.reshape(written.NumberOfFrames, written.Rows, written.Columns)
    shared = written.SharedFunctionalGroupsSequence[0]
    down, across = (float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing)
    orientation = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    found: dict[int, list[np.ndarray]] = {}
    for pixels, frame in zip(frames, written.PerFrameFunctionalGroupsSequence, strict=True):
        origin = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        rows, columns = np.nonzero(pixels)
        places = origin + columns[:, None] * across * orientation[:3] + rows[:, None] * down * orientation[3:]
        found.setdefault(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber, []).extend(places)
    points, labels = case.stack.points(), phantom.labels(case.stack)
    for label in (1, 2, 3):
        expected = points[labels == label]
        assert len(found[label]) == len(expected)
        assert cKDTree(found[label]).query(expected)[0].max() < 1e-3


def test_each_frame_names_the_source_frame_that_it_was_drawn_on(case: Case, written: Dataset) -> None:
    labels = phantom.labels(case.stack)
    for frame in written.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        offset = (position - case.stack.position) @ np.cross(case.stack.row, case.stack.column)
        k = round(offset / case.stack.slice_spacing)
        place = case.series.frames[k]
        assert source.ReferencedSOPInstanceUID == case.series.datasets[place.dataset].SOPInstanceUID
        assert source.get("ReferencedFrameNumber") == place.number
        assert (labels[k] == frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber).any()
    assert written.FrameOfReferenceUID == case.series.frame_of_reference_uid
    (series,) = written.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == case.series.datasets[0].SeriesInstanceUID


def test_the_segments_are_coded(one_case: Case, identity: ResultIdentity) -> None:
    finding = replace(one_case.finding, laterality="left")
    head, body, other = segmentation_object(finding, one_case.series, identity).SegmentSequence

    def coded(item: Dataset) -> tuple[str, str]:
        return item.CodingSchemeDesignator, item.CodeValue

    def modifiers(segment: Dataset) -> list[tuple[str, str]]:
        kind = segment.SegmentedPropertyTypeCodeSequence[0]
        return [coded(item) for item in kind.SegmentedPropertyTypeModifierCodeSequence]

    assert [segment.SegmentLabel for segment in (head, body, other)] == [
        "hippocampus head",
        "hippocampus body",
        "uncus",
    ]
    assert coded(head.SegmentedPropertyTypeCodeSequence[0]) == ("SCT", "5366008")
    assert modifiers(head) == [("SCT", "255549009"), ("SCT", "7771000")]
    assert modifiers(body) == [("SCT", "255551008"), ("SCT", "7771000")]
    assert coded(other.SegmentedPropertyTypeCodeSequence[0]) == ("99EIGENWARP", "LABEL-3")
    algorithm = head.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("Eigenwarp hippocampus", "a5763ff5c1b8")


def test_segments_count_on_from_one_whatever_the_labels_are(one_case: Case, identity: ResultIdentity) -> None:
    values = np.array([0, 7, 0, 30], dtype=np.uint16)[one_case.segmentation.data]
    concepts = {7: one_case.finding.concepts[1], 30: one_case.finding.concepts[3]}
    finding = replace(
        one_case.finding, segmentation=Segmentation(values, one_case.segmentation.geometry), concepts=concepts
    )
    assert segment_numbers(finding, one_case.series) == {7: 1, 30: 2}
    written = segmentation_object(finding, one_case.series, identity)
    volume = hd.seg.Segmentation.from_dataset(written).get_volume(combine_segments=True)
    expected = np.array([0, 1, 0, 2])[phantom.labels(one_case.stack)]
    np.testing.assert_array_equal(volume.match_geometry(one_case.series.source_geometry, tol=1e-3).array, expected)


def test_volumes_count_the_pixels_that_are_written(case: Case) -> None:
    slices, rows, columns = case.stack.slice_spacing, *case.stack.pixel_spacing
    counted = {label: int((phantom.labels(case.stack) == label).sum()) * slices * rows * columns for label in (1, 2, 3)}
    assert label_volumes(case.finding, case.series) == pytest.approx(counted)


def test_a_crop_of_the_labels_is_put_back_into_the_series(one_case: Case, identity: ResultIdentity) -> None:
    whole = one_case.segmentation
    offset, shape = (2, 3, 1), tuple(n - 4 for n in whole.shape)
    box = tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))
    crop = Segmentation(whole.data[box], whole.geometry.cropped(offset, shape))
    kept = np.zeros_like(whole.data)
    kept[box] = whole.data[box]
    of_crop = segmentation_object(replace(one_case.finding, segmentation=crop), one_case.series, identity)
    padded = replace(one_case.finding, segmentation=Segmentation(kept, whole.geometry))
    assert of_crop.PixelData == segmentation_object(padded, one_case.series, identity).PixelData


@pytest.mark.parametrize(("spacing", "thickness"), [("1", "2.0"), ("0.5", None), (None, "")])
def test_the_slices_are_as_far_apart_as_they_lie_whatever_the_source_states(
    identity: ResultIdentity, spacing: str | None, thickness: str | None
) -> None:
    stack = phantom.stack("axial")
    datasets = phantom.classic_series(stack)
    for dataset in datasets:
        if spacing is not None:
            dataset.SpacingBetweenSlices = spacing
        dataset.SliceThickness = thickness
        if thickness is None:
            del dataset.SliceThickness
    series = convert_series(datasets)
    finding = finding_of(series, labels_of(series, stack))
    for made in (segmentation_object(finding, series, identity), jacobian_map(finding, series, identity)):
        (measures,) = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
        assert float(measures.SpacingBetweenSlices) == pytest.approx(stack.slice_spacing)
        assert float(measures.SliceThickness) == pytest.approx(float(thickness or stack.slice_spacing))
    assert datasets[0].get("SpacingBetweenSlices") == spacing, "the series itself stays as it is"


def test_a_segmentation_without_labels_is_refused(one_case: Case, identity: ResultIdentity) -> None:
    empty = Segmentation(np.zeros_like(one_case.segmentation.data), one_case.segmentation.geometry)
    for finding in (replace(one_case.finding, segmentation=empty), replace(one_case.finding, segmentation=None)):
        with pytest.raises(FindingInvalidError, match="job_0123"):
            segmentation_object(finding, one_case.series, identity)


def test_a_series_without_a_place_in_the_patient_gets_no_labels(one_case: Case, identity: ResultIdentity) -> None:
    with pytest.raises(WriteBackBlockedError):
        segmentation_object(one_case.finding, replace(one_case.series, writable=False), identity)
