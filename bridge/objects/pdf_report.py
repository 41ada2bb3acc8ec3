"""The report for a person as an Encapsulated PDF (PS3.3, A.45.1)."""

from typing import Final

from highdicom.sr import CodedConcept
from pydicom import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.bare_object import bare_object
from bridge.objects.finding import Finding
from bridge.objects.identity import ResultIdentity
from bridge.objects.measurement_codes import IMAGING_MEASUREMENT_REPORT
from bridge.objects.references import instance_reference
from bridge.objects.report_pages import report_pages
from bridge.objects.source import source_images

_KIND: Final = "report"
_TITLE: Final = "Eigenwarp registration report"


def pdf_report(
    finding: Finding, series: SeriesVolume, identity: ResultIdentity, *, patient_header: bool = False
) -> Dataset:
    """The report's pages as an object of the series' study.

    Args:
        patient_header: print the patient's name and id on the pages; they are in the object's attributes in any case.
    """
    images = source_images(series.datasets)
    patient = None
    if patient_header:
        # As a list of patients shows it: the family name first.
        patient = f"{images[0].PatientName.family_comma_given()} · {images[0].PatientID}"
    content = report_pages(finding, series, identity, patient)
    result = bare_object(images[0], identity, _KIND, EncapsulatedPDFStorage, "DOC")
    result.ConversionType = "WSD"
    result.BurnedInAnnotation = "YES" if patient_header else "NO"
    result.AcquisitionDateTime = ""
    result.DocumentTitle = _TITLE
    result.ConceptNameCodeSequence = [CodedConcept.from_code(IMAGING_MEASUREMENT_REPORT)]
    result.SourceInstanceSequence = [instance_reference(image) for image in images]
    result.MIMETypeOfEncapsulatedDocument = "application/pdf"
    result.EncapsulatedDocumentLength = len(content)
    # An element's length is even.
    result.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    identity.seal(result, _KIND)
    return result
