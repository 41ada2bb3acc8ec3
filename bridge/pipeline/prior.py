"""The patient's earlier study of the same kind: found in the archive, fetched, and kept with the job."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset, dcmread, dcmwrite

from bridge.archive import StoredSeries
from bridge.config.rules import Rule
from bridge.dicom.convert import convert_series
from bridge.dicom.series_volume import SeriesVolume
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.region import part_to_send
from bridge.refusals import PriorMissingError, SegmentationMissingError
from bridge.select import facts_of, mismatch
from bridge.state.jobs import JobRecord
from eigenwarp.volume.nifti import volume_to_bytes

PRIOR_VOLUME = "prior.nii.gz"
_COUNT = "prior_instances"


@dataclass(frozen=True, eq=False)
class Prior:
    """An earlier series, as it came from the archive."""

    datasets: tuple[Dataset, ...]


def find_prior(context: PipelineContext, rule: Rule, current: Dataset) -> Prior:
    """The series that the rule takes from the latest study before the current one.

    Raises:
        PriorMissingError: there is none.
        ArchiveUnreachableError, ArchiveRefusedError: from the archive.
    """
    patient, issuer = str(current.get("PatientID") or ""), str(current.get("IssuerOfPatientID") or "")
    if not patient:
        raise PriorMissingError("the series has no PatientID, by which an earlier study could be found")
    moment = str(current.get("StudyDate") or "") + str(current.get("StudyTime") or "").partition(".")[0]
    if not moment:
        raise PriorMissingError("the series has no StudyDate, before which an earlier study would lie")
    earlier = [
        study
        for study in context.archive.studies_of(patient, issuer)
        if study.study_uid != str(current.StudyInstanceUID) and "" < study.moment < moment
    ]
    for study in earlier:
        for series in _candidates(rule, context.archive.series_of(study.study_uid)):
            datasets = context.archive.fetch(series)
            facts = facts_of(datasets)
            if not facts.is_own and mismatch(rule.match, facts) is None:
                return Prior(tuple(datasets))
    raise PriorMissingError(f"{len(earlier)} earlier studies, and none holds a series that rule {rule.name} takes")


def keep_prior(context: PipelineContext, job: JobRecord, rule: Rule, prior: Prior) -> dict[str, str]:
    """With the job: its volume, which is sent, and its instances, which the results refer to.

    Returns:
        Notes for the steps that follow.

    Raises:
        PriorMissingError: the earlier study lacks the SEG that the rule takes its region of interest from.
        EigenwarpError: as ``convert_series`` and ``part_to_send``.
    """
    series = convert_series(prior.datasets, rule.conversion.tolerances(), rule.conversion.overrides())
    try:
        volume, _ = part_to_send(context.archive, rule, series)
    except SegmentationMissingError as error:
        # Nobody is about to draw on an old study.
        raise PriorMissingError(f"the earlier study cannot be cropped: {error.detail}") from None
    context.write(job, PRIOR_VOLUME, volume_to_bytes(volume))
    for number, dataset in enumerate(prior.datasets):
        buffer = BytesIO()
        dcmwrite(buffer, dataset, enforce_file_format=True)
        context.write(job, _name(number), buffer.getvalue())
    return {_COUNT: str(len(prior.datasets))}


def kept_prior(context: PipelineContext, job: JobRecord, rule: Rule) -> SeriesVolume:
    """What ``keep_prior`` kept."""
    count = int(job.notes[_COUNT])
    datasets = [dcmread(BytesIO(context.read(job, _name(number)))) for number in range(count)]
    return convert_series(datasets, rule.conversion.tolerances(), rule.conversion.overrides())


def _candidates(rule: Rule, listed: Sequence[StoredSeries]) -> Iterator[StoredSeries]:
    """Those that the archive's list does not rule out already: each costs a download."""
    for series in listed:
        if not rule.match.modality or not series.modality or series.modality in rule.match.modality:
            yield series


def _name(number: int) -> str:
    return f"prior-{number:05d}"
