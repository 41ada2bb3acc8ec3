"""selected → converted: the series as a volume, the model pinned, and the earlier study where one is wanted."""

from pydicom import Dataset

from bridge.dicom.convert import convert_series
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.outcome import Advance, Outcome, Skip
from bridge.pipeline.prior import find_prior, keep_prior
from bridge.pipeline.region import part_to_send
from bridge.refusals import PriorMissingError
from bridge.state.job_states import JobState
from bridge.state.jobs import JobRecord
from eigenwarp.client import Client
from eigenwarp.errors import ModelUnknownError
from eigenwarp.volume.nifti import volume_to_bytes

SERIES_VOLUME = "series.nii.gz"


def convert(context: PipelineContext, job: JobRecord) -> Outcome:
    """Every defect of the series is found here, before anything is sent."""
    rule = context.rule_of(job)
    instances = context.instances(job)
    series = convert_series(instances, rule.conversion.tolerances(), rule.conversion.overrides())
    # What could not be written back need not be computed.
    series.require_writable()
    volume, notes = part_to_send(context.archive, rule, series)
    notes |= {"model": pinned_model(context.client, rule.model), "subject": _subject(context, series.datasets[0])}
    context.write(job, SERIES_VOLUME, volume_to_bytes(volume))
    if rule.reference == "prior":
        try:
            prior = find_prior(context, rule, series.datasets[0])
            notes |= keep_prior(context, job, rule, prior)
        except PriorMissingError as error:
            return Skip(error.code, error.detail)
    return Advance(JobState.CONVERTED, notes=notes)


def pinned_model(client: Client, model: str) -> str:
    """``name@version``: a later try must ask for the same.

    Raises:
        ModelUnknownError: the service has no such model.
    """
    name, _, version = model.partition("@")
    for row in client.models():
        if row.name == name and (row.version == version if version else row.latest):
            return f"{row.name}@{row.version}"
    raise ModelUnknownError(f"the service has no model {model!r}")


def _subject(context: PipelineContext, dataset: Dataset) -> str:
    patient, issuer = str(dataset.get("PatientID") or ""), str(dataset.get("IssuerOfPatientID") or "")
    # Without a PatientID nothing says that two studies are of one person.
    return context.state.pseudonyms.subject(patient or str(dataset.StudyInstanceUID), issuer)
