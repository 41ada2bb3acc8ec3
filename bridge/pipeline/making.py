"""computed → made: the objects that the rule asks for, from the series and what the service gave."""

from io import BytesIO

from pydicom import Dataset, dcmwrite

from bridge.config.rules import Rule
from bridge.dicom.convert import convert_series
from bridge.objects.build import result_objects
from bridge.objects.concepts import label_concepts
from bridge.objects.finding import Counterpart, Finding, Picture
from bridge.objects.identity import ObjectKind, ResultIdentity, atlas_frame_of_reference
from bridge.pipeline.collecting import SERVICE_JOB
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.delivering import object_name
from bridge.pipeline.found import seen_from_series
from bridge.pipeline.outcome import Advance, Outcome
from bridge.pipeline.prior import kept_prior
from bridge.state.job_states import JobState
from bridge.state.jobs import JobRecord
from bridge.state.results import NewResult, ObjectIdentity
from eigenwarp.errors import ServiceError
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.jobs import JobRow
from eigenwarp.schemas.report import Report


def make(context: PipelineContext, job: JobRecord) -> Outcome:
    """The same job gives the same objects under the same UIDs, however often this is done."""
    rule = context.rule_of(job)
    row = JobRow.model_validate_json(context.read(job, SERVICE_JOB))
    if row.finished_at is None or row.model is None:
        raise ServiceError(f"job {row.id} has ended without its model or its time")
    series = convert_series(context.instances(job), rule.conversion.tolerances(), rule.conversion.overrides())
    finding = _finding(context, job, rule, row, row.model)
    # The series' own clock is the site's; the objects' times are told in it.
    identity = ResultIdentity(job=row.id, made_at=row.finished_at.astimezone().replace(tzinfo=None))
    made = result_objects(finding, series, identity, rule.outputs, patient_header=rule.patient_header)
    context.state.results.replace(job.key, [_keep(context, job, kind, dataset) for kind, dataset in made.items()])
    return Advance(JobState.MADE)


def _finding(context: PipelineContext, job: JobRecord, rule: Rule, row: JobRow, model: ModelReference) -> Finding:
    found = seen_from_series(context, job, rule, row)
    manifest = context.client.model(model.name, model.version)
    return Finding(
        job=row.id,
        model=model,
        side=rule.role,
        counterpart=_counterpart(context, job, rule, model),
        report=found.report,
        segmentation=found.segmentation,
        label_source="warped",
        concepts=label_concepts(model.name, manifest.labels),
        laterality={"left": "left", "right": "right"}.get(job.notes.get("side", "")),  # type: ignore[arg-type]
        jacobian=found.jacobian,
        field=found.field,
        components=context.client.components(f"{model.name}@{model.version}") if found.report.explanation else None,
        pictures=_pictures(context, rule, model, found.report),
    )


def _counterpart(context: PipelineContext, job: JobRecord, rule: Rule, model: ModelReference) -> Counterpart:
    """What the series was registered with."""
    if rule.reference == "prior":
        prior = kept_prior(context, job, rule)
        moment = str(prior.datasets[0].get("StudyDate") or "unknown date")
        return Counterpart("prior", f"earlier study of {moment}", prior.frame_of_reference_uid or "", prior.datasets)
    if rule.reference_file is not None:
        space = ModelReference(name=f"{rule.name}-reference", version=model.version)
        return Counterpart("volume", f"reference of rule {rule.name}", atlas_frame_of_reference(space))
    return Counterpart("atlas", f"{model.name} template {model.version}", atlas_frame_of_reference(model))


def _pictures(context: PipelineContext, rule: Rule, model: ModelReference, report: Report) -> tuple[Picture, ...]:
    """What the component that tells most of the difference does to the template; none where it cannot be had now."""
    if report.explanation is None or not report.explanation.components:
        return ()
    most = max(report.explanation.components, key=lambda component: component.share)
    name = f"{model.name}@{model.version}"
    # Coefficients are moving less fixed: the way from the counterpart to the series is the other one where it moved.
    is_up = (most.coefficient >= 0) == (rule.role == "fixed")
    png = context.client.component_figure(most.component, scale=2.0 if is_up else -2.0, model=name)
    sign = "+" if is_up else "−"
    return (Picture(png, f"Component {most.component} at {sign}2 standard deviations, on the template"),)


def _keep(context: PipelineContext, job: JobRecord, kind: ObjectKind, dataset: Dataset) -> NewResult:
    identity = ObjectIdentity(
        study_uid=str(dataset.StudyInstanceUID),
        series_uid=str(dataset.SeriesInstanceUID),
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
    )
    pseudonyms = context.state.pseudonyms
    result = NewResult(
        id=pseudonyms.of("instance", identity.sop_instance_uid),
        series=pseudonyms.of("series", identity.series_uid),
        kind=kind,
        identity=identity,
    )
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    context.write(job, object_name(result.id), buffer.getvalue())
    return result
