"""``POST /reconstruct``."""

from eigenwarp.schemas.requests import ReconstructRequest
from worker import engine
from worker.jobs.context import JobContext
from worker.jobs.results import field_result, segmentation_result, volume_result
from worker.outcome import Outcome


def reconstruct(request: ReconstructRequest, context: JobContext) -> Outcome:
    """The deformation that coefficients stand for, and the warped template."""
    context.begin()
    model = context.model()
    template = None if request.template is None else context.image(request.template)
    context.on_stage("decode", 0.0)
    found = engine.reconstruct(model, request.coefficients, template)
    results = [
        # The template's grid is both the moving and the fixed one.
        field_result("field", found.field, request.field_format, found.field.geometry),
        volume_result("warped", found.warped),
    ]
    if found.warped_segmentation is not None:
        results.append(segmentation_result("warped_segmentation", found.warped_segmentation))
    return Outcome(results=tuple(results))
