"""The structured report, read back with highdicom."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest
from highdicom.sr import Comprehensive3DSR
from pydicom import Dataset
from pydicom.sr.coding import Code

from bridge.objects.errors import FindingInvalidError
from bridge.objects.finding import Finding
from bridge.objects.identity import ResultIdentity
from bridge.objects.measurements import measurement_report
from bridge.objects.segmentation import segmentation_object
from eigenwarp.schemas.projection import Projection
from tests.bridge import phantom
from tests.bridge.objects.conftest import Case
from tests.bridge.objects.findings import COEFFICIENTS, JOB, MODEL, domain, of_prior
from tests.bridge.objects.written import read_again


def _private(value: str) -> Code:
    return Code(value, "99EIGENWARP", "")


def _read(finding: Finding, case: Case, identity: ResultIdentity) -> tuple[Comprehensive3DSR, Dataset]:
    segmentation = segmentation_object(finding, case.series, identity)
    written = read_again(measurement_report(finding, case.series, identity, segmentation))
    return Comprehensive3DSR.from_dataset(written), segmentation


def _values(group: object) -> dict[str, float]:
    measurements = group.get_measurements()  # type: ignore[attr-defined]
    return {found.name.value: found.value for found in measurements}


def _generic(report: Comprehensive3DSR, about: str) -> dict[str, float]:
    groups = report.content.get_image_measurement_groups(finding_type=_private(about))
    return _values(groups[0])


def _texts(report: Comprehensive3DSR, name: str) -> list[str]:
    found = hd.sr.utils.find_content_items(report, name=_private(name), recursive=True)
    return [item.TextValue for item in found]


def test_each_volume_is_that_of_the_segment_it_refers_to(case: Case, identity: ResultIdentity) -> None:
    report, segmentation = _read(case.finding, case, identity)
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert len(groups) == 3
    pixels = hd.seg.Segmentation.from_dataset(read_again(segmentation)).get_volume(combine_segments=True)
    tracked = {item.SegmentNumber: item.TrackingUID for item in segmentation.SegmentSequence}
    for group in groups:
        (image,) = (item for item in group[0].ContentSequence if item.ValueType == "IMAGE")
        (segment,) = image.ReferencedSOPSequence
        assert segment.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
        number = segment.ReferencedSegmentNumber
        counted = int((pixels.array == number).sum()) * pixels.voxel_volume
        assert _values(group)["118565006"] == pytest.approx(counted, rel=1e-6)
        assert group.tracking_uid == tracked[number]
        unit = group.get_measurements()[0].unit
        assert (unit.scheme_designator, unit.value) == ("UCUM", "mm3")


def test_the_coefficients_are_those_of_the_series_side(one_case: Case, identity: ResultIdentity) -> None:
    finding = one_case.finding
    assert finding.report is not None
    assert finding.report.coefficients is not None
    for side, expected in (
        ("fixed", finding.report.coefficients.fixed),
        ("moving", finding.report.coefficients.moving),
    ):
        read, _ = _read(replace(finding, side=side), one_case, identity)  # type: ignore[arg-type]
        found = _generic(read, "SHAPE")
        assert [found[f"COEF-{k:03d}"] for k in range(1, COEFFICIENTS + 1)] == pytest.approx(expected)
    assert _generic(_read(finding, one_case, identity)[0], "SHAPE")["MAHALANOBIS"] == pytest.approx(7.9)


def test_the_registration_tells_shares_and_regularity(one_case: Case, identity: ResultIdentity) -> None:
    found = _generic(_read(one_case.finding, one_case, identity)[0], "REGISTRATION")
    report = one_case.finding.report
    assert report is not None
    assert report.explanation is not None
    shares = [found[f"SHARE-{row.component:03d}"] for row in report.explanation.components]
    assert sum(shares) + found["SHARE-OUTSIDE"] == pytest.approx(1)
    assert found["FOLDING"] == pytest.approx(report.jacobian.folding_share)
    assert (found["CORR-BEFORE"], found["CORR-AFTER"]) == pytest.approx((0.61, 0.93))


def test_model_and_version_stand_in_every_group(one_case: Case, identity: ResultIdentity) -> None:
    report, _ = _read(one_case.finding, one_case, identity)
    groups = [
        *report.content.get_volumetric_roi_measurement_groups(),
        *report.content.get_image_measurement_groups(),
    ]
    assert len(groups) == 5
    for group in groups:
        texts = [item for item in group[0].ContentSequence if item.ValueType == "TEXT"]
        named = {item.ConceptNameCodeSequence[0].CodeValue: item.TextValue for item in texts}
        assert named["111001"] == "Eigenwarp hippocampus"
        assert named["111003"] == MODEL.version


def test_warnings_are_text_and_the_intended_use_with_them(one_case: Case, identity: ResultIdentity) -> None:
    report, _ = _read(one_case.finding, one_case, identity)
    first, second = _texts(report, "WARNING")
    assert first.startswith("geometry-changed: fixed: resampled from 1.25 × 1.75 × 2.5 mm")
    assert second.startswith("out-of-domain: ")
    assert "not a medical device" in _texts(report, "INTENDED-USE")[0]


def test_only_an_earlier_study_is_something_to_change_from(one_case: Case, identity: ResultIdentity) -> None:
    earlier = phantom.classic_series(one_case.stack, seed="earlier")
    prior = of_prior(one_case.finding, earlier[0].FrameOfReferenceUID, earlier)
    for finding, told in ((one_case.finding, False), (prior, True)):
        groups = _read(finding, one_case, identity)[0].content.get_volumetric_roi_measurement_groups()
        for group in groups:
            values = _values(group)
            assert ("VOLUME-CHANGE" in values) == told
            if told:
                assert values["VOLUME-CHANGE"] == pytest.approx(values["118565006"] - values["VOLUME-OTHER"], abs=1e-3)


def test_a_projection_alone_is_reported_without_labels(one_case: Case, identity: ResultIdentity) -> None:
    z_scores = np.linspace(-2, 2, COEFFICIENTS).tolist()
    projection = Projection(
        **domain(3.1, 80.0).model_dump(),
        model=MODEL,
        coefficients=[10 * z for z in z_scores],
        z_scores=z_scores,
        explained_variance_ratio=[0.1] * COEFFICIENTS,
        warnings=[],
    )
    finding = Finding(job=JOB, model=MODEL, projection=projection)
    written = read_again(measurement_report(finding, one_case.series, identity, None))
    found = _generic(Comprehensive3DSR.from_dataset(written), "SHAPE")
    assert [found[f"Z-{k:03d}"] for k in range(1, COEFFICIENTS + 1)] == pytest.approx(z_scores)
    assert [found[f"COEF-{k:03d}"] for k in range(1, COEFFICIENTS + 1)] == pytest.approx([10 * z for z in z_scores])


def test_what_is_referred_to_is_evidence(one_case: Case, identity: ResultIdentity) -> None:
    report, segmentation = _read(one_case.finding, one_case, identity)
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    referred = {
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert referred == {segmentation.SOPInstanceUID, *(item.SOPInstanceUID for item in one_case.series.datasets)}


def test_a_finding_without_report_and_projection_is_none() -> None:
    with pytest.raises(FindingInvalidError, match="neither a registration's report nor a projection"):
        Finding(job=JOB, model=MODEL)
