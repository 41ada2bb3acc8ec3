"""UIDs that follow job and content, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from pydicom.uid import UID

from bridge.objects.build import result_objects
from bridge.objects.errors import FindingInvalidError
from bridge.objects.identity import OBJECT_KINDS, ResultIdentity, atlas_frame_of_reference, is_result
from bridge.objects.segmentation import segmentation_object
from eigenwarp.schemas.document import ModelReference
from eigenwarp.volume import Segmentation, Volume
from tests.bridge.objects.conftest import Case
from tests.bridge.objects.findings import JOB, MODEL


def test_the_same_job_and_content_is_the_same_object_to_the_last_byte(one_case: Case, identity: ResultIdentity) -> None:
    first, second = (result_objects(one_case.finding, one_case.series, identity) for _ in range(2))
    assert list(first) == list(OBJECT_KINDS)
    for kind in OBJECT_KINDS:
        assert first[kind] == second[kind], kind
        assert first[kind].file_meta.MediaStorageSOPInstanceUID == first[kind].SOPInstanceUID


def test_every_object_has_a_series_of_its_own_in_the_source_study(one_case: Case, identity: ResultIdentity) -> None:
    made = result_objects(one_case.finding, one_case.series, identity).values()
    source = one_case.series.datasets[0]
    uids = [uid for result in made for uid in (result.SeriesInstanceUID, result.SOPInstanceUID)]
    assert len(set(uids)) == 2 * len(OBJECT_KINDS)
    assert all(UID(uid).is_valid and len(uid) <= 64 for uid in uids)
    assert [result.SeriesNumber for result in made] == [9000, 9001, 9002, 9003, 9004]
    for result in made:
        assert (result.StudyInstanceUID, result.PatientID) == (source.StudyInstanceUID, source.PatientID)
        assert (result.ContentDate, result.ContentTime) == ("20260304", "050607")
        assert is_result(result)
    assert not is_result(source)


def test_any_other_content_is_another_object(one_case: Case, identity: ResultIdentity) -> None:
    finding = one_case.finding
    assert finding.segmentation is not None
    assert finding.jacobian is not None
    labels = finding.segmentation.data.copy()
    labels[tuple(np.argwhere(labels)[0])] = 0
    jacobian = finding.jacobian.data.copy()
    jacobian[0, 0, 0] = np.nextafter(jacobian[0, 0, 0], 2, dtype=np.float32)
    changed = replace(
        finding,
        segmentation=Segmentation(labels, finding.segmentation.geometry),
        jacobian=Volume(jacobian, finding.jacobian.geometry),
    )
    before = result_objects(finding, one_case.series, identity)
    after = result_objects(changed, one_case.series, identity)
    for kind in ("segmentation", "measurements", "jacobian"):
        assert before[kind].SOPInstanceUID != after[kind].SOPInstanceUID, kind
    assert before["registration"].SOPInstanceUID == after["registration"].SOPInstanceUID


def test_another_job_is_another_object(one_case: Case, identity: ResultIdentity) -> None:
    first = segmentation_object(one_case.finding, one_case.series, identity)
    other = ResultIdentity("job_other", identity.made_at)
    assert segmentation_object(one_case.finding, one_case.series, other).SOPInstanceUID != first.SOPInstanceUID


def test_another_version_of_a_model_has_another_space() -> None:
    assert atlas_frame_of_reference(MODEL) == atlas_frame_of_reference(MODEL.model_copy())
    assert atlas_frame_of_reference(MODEL) != atlas_frame_of_reference(
        ModelReference(name=MODEL.name, version="0" * 12)
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"job": ""}, "the job that they come from"),
        ({"series_number": 0}, "series number 0 is outside"),
        ({"series_number": 2**31 - 1}, "series number 2147483647 is outside"),
        ({"device_serial_number": " "}, "serial number is empty"),
    ],
)
def test_an_identity_that_dicom_cannot_hold_is_refused(parts: dict[str, object], said: str) -> None:
    given = {"job": JOB, "made_at": datetime(2026, 3, 4, tzinfo=UTC), **parts}
    with pytest.raises(FindingInvalidError, match=said):
        ResultIdentity(**given)  # type: ignore[arg-type]
