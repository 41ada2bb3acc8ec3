"""converted → submitted: volumes to the service, and the registration asked for."""

from bridge.config.rules import Rule
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.converting import SERIES_VOLUME
from bridge.pipeline.outcome import Advance, Anew, Outcome
from bridge.pipeline.reference import reference_volumes
from bridge.state.job_states import JobState
from bridge.state.jobs import JobRecord
from eigenwarp.errors import IdempotencyMismatchError
from eigenwarp.schemas.localization import LocalizePair
from eigenwarp.schemas.requests import OutputName

_OUTPUTS: dict[str, tuple[OutputName, ...]] = {
    "fixed": ("field", "warped_segmentation", "jacobian", "report"),
    "moving": ("field", "inverse_field", "report"),
}


def submit(context: PipelineContext, job: JobRecord) -> Outcome:
    """One is moved onto the other, as the rule's role says. A second try under the same key finds the first's job."""
    rule, client = context.rule_of(job), context.client
    series = client.upload(context.read(job, SERIES_VOLUME), subject=job.notes["subject"])
    image, labels = reference_volumes(context, job, rule)
    reference = client.upload(image, subject=job.notes["subject"] if rule.reference == "prior" else None)
    measured = None if labels is None else client.upload(labels, "segmentation")
    is_fixed = rule.role == "fixed"
    try:
        submitted = client.register(
            reference if is_fixed else series,
            series if is_fixed else reference,
            moving_segmentation=measured if is_fixed else None,
            fixed_segmentation=None if is_fixed else measured,
            model=job.notes["model"],
            refine=rule.refine,
            outputs=_OUTPUTS[rule.role],
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
    volumes = "both" if rule.reference == "prior" else rule.role
    return LocalizePair.model_validate(
        {"structure": rule.localize.structure, "side": job.notes["side"], "volumes": volumes}
    )
