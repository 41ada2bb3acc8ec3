"""converted → submitted: volumes to the service, and the registration asked for."""

from pathlib import Path

from bridge.config.rules import Rule
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.converting import SERIES_VOLUME
from bridge.pipeline.outcome import Advance, Anew, Outcome
from bridge.pipeline.prior import PRIOR_VOLUME
from bridge.state.job_states import JobState
from bridge.state.jobs import JobRecord
from eigenwarp.errors import FileUnreadableError, IdempotencyMismatchError
from eigenwarp.schemas.localization import LocalizePair
from eigenwarp.schemas.requests import OutputName

_OUTPUTS: tuple[OutputName, ...] = ("field", "warped_segmentation", "jacobian", "report")


def submit(context: PipelineContext, job: JobRecord) -> Outcome:
    """The reference is moved onto the series. A second try under the same key finds the first one's job."""
    rule, client = context.rule_of(job), context.client
    fixed = client.upload(context.read(job, SERIES_VOLUME), subject=job.notes["subject"])
    moving, labels = _reference(context, job, rule)
    try:
        submitted = client.register(
            client.upload(moving, subject=job.notes["subject"] if rule.reference == "prior" else None),
            fixed,
            moving_segmentation=None if labels is None else client.upload(labels, "segmentation"),
            model=job.notes["model"],
            refine=rule.refine,
            outputs=_OUTPUTS,
            field_format="ras",
            alignment=rule.alignment,
            localize=_localize(job, rule),
            wait=False,
            idempotency_key=f"bridge.{job.key}.{job.generation}",
        )
    except IdempotencyMismatchError as error:
        # The rule was changed after an earlier try: what was asked then is no longer wanted.
        return Anew(JobState.CONVERTED, error.code, error.detail)
    return Advance(JobState.SUBMITTED, notes={"service_job": submitted.id})


def _localize(job: JobRecord, rule: Rule) -> LocalizePair | None:
    """What the service is to find in the series, and in an earlier one as well; templates are cropped already."""
    if rule.localize is None:
        return None
    volumes = "both" if rule.reference == "prior" else "fixed"
    return LocalizePair.model_validate(
        {"structure": rule.localize.structure, "side": job.notes["side"], "volumes": volumes}
    )


def _reference(context: PipelineContext, job: JobRecord, rule: Rule) -> tuple[bytes, bytes | None]:
    """The moving image and its labels, as NIfTI files."""
    if rule.reference == "prior":
        return context.read(job, PRIOR_VOLUME), None
    if rule.reference_file is not None:
        labels = None if rule.reference_labels is None else _bytes(rule.reference_labels)
        return _bytes(rule.reference_file), labels
    name, _, version = job.notes["model"].partition("@")
    return context.client.template(name, version), context.client.template_labels(name, version)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadableError(f"{path}: {error.strerror or type(error).__name__}") from None
