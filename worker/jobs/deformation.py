"""``GET /components/{k}/deformation``."""

from dataclasses import replace

from eigenwarp.schemas.requests import DeformationRequest
from eigenwarp.stores.models import derived_key
from worker.engine import component_field
from worker.jobs.context import JobContext
from worker.jobs.results import field_result
from worker.outcome import Outcome
from worker.report import reference


def deformation(request: DeformationRequest, context: JobContext) -> Outcome:
    """A component's field on the template's grid, kept for whoever asks next."""
    context.begin()
    model = context.model()
    context.on_stage("decode", 0.0)
    field = component_field(model, request.component, request.scale, request.unit)
    result = field_result("deformation", field, request.field_format, field.geometry)
    return Outcome(results=(replace(result, keep_as=derived_key(reference(model), request)),))
