"""The report for a person, read as a PDF reader reads it where Poppler is at hand."""

import io
import shutil
import subprocess
from dataclasses import replace

import pytest
from PIL import Image
from pydicom import Dataset

from bridge.objects.errors import FindingInvalidError
from bridge.objects.finding import Finding, Picture
from bridge.objects.identity import ResultIdentity
from bridge.objects.pdf_report import pdf_report
from eigenwarp.schemas.projection import Projection
from tests.bridge import phantom
from tests.bridge.objects.conftest import Case
from tests.bridge.objects.findings import COEFFICIENTS, JOB, MODEL, domain, of_prior
from tests.bridge.objects.written import read_again


def _pdf(written: Dataset) -> bytes:
    content: bytes = written.EncapsulatedDocument[: written.EncapsulatedDocumentLength]
    assert len(written.EncapsulatedDocument) % 2 == 0
    return content


def _text(content: bytes) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on the PATH (Debian: poppler-utils)")
    run = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
    return " ".join(run.stdout.decode().split())


def test_the_document_is_a_whole_pdf(one_case: Case, identity: ResultIdentity) -> None:
    written = read_again(pdf_report(one_case.finding, one_case.series, identity))
    content = _pdf(written)
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert content.count(b"/Type /Page\n") <= 2
    assert written.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert len(written.SourceInstanceSequence) == len(one_case.series.datasets)


def test_a_reader_finds_what_was_done_and_how_far_to_trust_it(one_case: Case, identity: ResultIdentity) -> None:
    text = _text(_pdf(pdf_report(one_case.finding, one_case.series, identity)))
    for said in (
        "Research software, not a medical device",
        "hippocampus template a5763ff5c1b8 onto the series",
        "T1 phantom (series 3)",
        "version a5763ff5c1b8",
        "this series: 7.9 standard deviations",
        "hippocampus head",
        "correlation of the images 0.61 when only aligned, 0.93 when registered",
        "What sets this series apart from the template",
        "outside the basis 20 %",
        JOB,
        "page 1 of 2",
    ):
        assert said in text, said


def test_the_pages_name_the_patient_only_where_asked(one_case: Case, identity: ResultIdentity) -> None:
    silent = pdf_report(one_case.finding, one_case.series, identity)
    named = pdf_report(one_case.finding, one_case.series, identity, patient_header=True)
    assert (silent.BurnedInAnnotation, named.BurnedInAnnotation) == ("NO", "YES")
    assert str(silent.PatientName) == phantom.PATIENT_NAME
    texts = _text(_pdf(silent)), _text(_pdf(named))
    assert [phantom.PATIENT_ID in text for text in texts] == [False, True]
    assert ["Phantom" in text for text in texts] == [False, True]


def test_an_earlier_study_is_called_so(one_case: Case, identity: ResultIdentity) -> None:
    earlier = phantom.classic_series(one_case.stack, seed="earlier")
    finding = of_prior(one_case.finding, earlier[0].FrameOfReferenceUID, earlier)
    text = _text(_pdf(pdf_report(finding, one_case.series, identity)))
    assert "In the earlier study" in text
    assert "study of 2 January 2024 onto the series" in text


def test_a_given_picture_is_shown_with_its_caption(one_case: Case, identity: ResultIdentity) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (600, 200), (10, 60, 120)).save(buffer, format="PNG")
    picture = Picture(buffer.getvalue(), "Component 1 at 2 standard deviations <of> the cohort & 漢")
    text = _text(_pdf(pdf_report(replace(one_case.finding, pictures=(picture,)), one_case.series, identity)))
    assert "Component 1 at 2 standard deviations <of> the cohort & ?" in text


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(FindingInvalidError, match="is no PNG file"):
        Picture(b"GIF89a", "a picture")


def test_a_projection_alone_makes_a_report(one_case: Case, identity: ResultIdentity) -> None:
    projection = Projection(
        **domain(3.1, 80.0).model_dump(),
        model=MODEL,
        coefficients=[1.0] * COEFFICIENTS,
        z_scores=[0.5] * COEFFICIENTS,
        explained_variance_ratio=[0.1] * COEFFICIENTS,
        warnings=[],
    )
    finding = Finding(job=JOB, model=MODEL, projection=projection)
    text = _text(_pdf(pdf_report(finding, one_case.series, identity)))
    assert "further from the average than 80 % of the training subjects" in text
    assert "Volumes" not in text


def test_a_series_without_a_place_in_the_patient_still_gets_its_report(
    one_case: Case, identity: ResultIdentity
) -> None:
    series = replace(one_case.series, writable=False)
    assert _pdf(pdf_report(one_case.finding, series, identity)).startswith(b"%PDF-")
