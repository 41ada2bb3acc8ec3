"""Every object before the validators that work offline: every plane, classic and enhanced, holes in the source."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset

from bridge.dicom.convert import convert_series
from bridge.objects.build import result_objects
from bridge.objects.identity import OBJECT_KINDS, ObjectKind, ResultIdentity
from tests.bridge import phantom
from tests.bridge.objects.conftest import STACKS, Case
from tests.bridge.objects.findings import finding_of, labels_of, of_prior
from tests.bridge.objects.validators import dcentvfy_findings, dciodvfy_errors, structured_report_text
from tests.bridge.objects.written import read_again, save


def _errors(made: dict[str, Dataset], folder: Path) -> list[str]:
    return [
        f"{kind}: {error}"
        for kind, result in made.items()
        for error in dciodvfy_errors(save(result, folder / f"{kind}.dcm"))
    ]


def test_dciodvfy_finds_no_error(made: dict[ObjectKind, Dataset], tmp_path: Path) -> None:
    assert list(made) == list(OBJECT_KINDS)
    assert not _errors(dict(made), tmp_path)


def test_dciodvfy_does_find_errors(one_case: Case, identity: ResultIdentity, tmp_path: Path) -> None:
    made = result_objects(one_case.finding, one_case.series, identity)
    for result, keyword in zip(
        made.values(),
        ("SegmentSequence", "CompletionFlag", "ContentLabel", "DeformableRegistrationSequence", "ConversionType"),
        strict=True,
    ):
        del result[keyword]
    assert {line.partition(":")[0] for line in _errors(dict(made), tmp_path)} == set(OBJECT_KINDS)


def test_dciodvfy_finds_no_error_with_an_earlier_study_and_a_known_side(
    one_case: Case, identity: ResultIdentity, tmp_path: Path
) -> None:
    earlier = phantom.classic_series(one_case.stack, seed="earlier")
    finding = replace(of_prior(one_case.finding, earlier[0].FrameOfReferenceUID, earlier), laterality="right")
    for side in ("fixed", "moving"):
        made = result_objects(replace(finding, side=side), one_case.series, identity, patient_header=True)  # type: ignore[arg-type]
        assert not _errors(dict(made), tmp_path)


def test_what_the_source_lacks_is_there_and_empty(identity: ResultIdentity, tmp_path: Path) -> None:
    stack = STACKS["coronal oblique"]
    datasets = phantom.classic_series(stack)
    missing = ("PatientBirthDate", "PatientSex", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID")
    for dataset in datasets:
        for keyword in missing:
            del dataset[keyword]
    series = convert_series([read_again(dataset) for dataset in datasets])
    made = result_objects(finding_of(series, labels_of(series, stack)), series, identity)
    assert not _errors(dict(made), tmp_path)
    for result in made.values():
        assert all(keyword in result and not result[keyword].value for keyword in missing)
    assert all(keyword not in series.datasets[0] for keyword in missing)


def test_a_name_in_another_script_is_kept(identity: ResultIdentity, tmp_path: Path) -> None:
    stack, name = STACKS["axial"], "Yamada^Tarou=山田^太郎=やまだ^たろう"
    datasets = phantom.classic_series(stack)
    for dataset in datasets:
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        dataset.PatientName = name
    series = convert_series([read_again(dataset) for dataset in datasets])
    made = result_objects(finding_of(series, labels_of(series, stack)), series, identity)
    assert not _errors(dict(made), tmp_path)
    assert {str(read_again(result).PatientName) for result in made.values()} == {name}


def test_dcentvfy_finds_source_and_results_consistent(
    case: Case, made: dict[ObjectKind, Dataset], tmp_path: Path
) -> None:
    paths = [save(result, tmp_path / f"{kind}.dcm") for kind, result in made.items()]
    paths += [save(read_again(dataset), tmp_path / f"{k}.dcm") for k, dataset in enumerate(case.series.datasets)]
    # It takes the accession number for the study's in one kind of object, for the series' in another; they are equal.
    quirk = "Warning - Different information entities for attribute - Element=<AccessionNumber>"
    assert [found for found in dcentvfy_findings(paths) if not found.startswith(quirk)] == []


def test_dsrdump_reads_the_measurements(one_case: Case, identity: ResultIdentity, tmp_path: Path) -> None:
    made = result_objects(one_case.finding, one_case.series, identity, ("segmentation", "measurements"))
    text = structured_report_text(save(made["measurements"], tmp_path / "sr.dcm"))
    assert "Comprehensive 3D SR Document" in text
    assert '"Coefficient of component 6"' in text
    assert "E: " not in text


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_each_object_can_be_asked_for_alone(
    one_case: Case, identity: ResultIdentity, kind: str, tmp_path: Path
) -> None:
    made = result_objects(one_case.finding, one_case.series, identity, (kind,))  # type: ignore[arg-type]
    assert list(made) == [kind]
    assert not _errors(dict(made), tmp_path)
