"""``POST /components/{k}/warp``."""

from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.requests import WarpRequest
from worker.engine import move_along_component
from worker.jobs.context import JobContext
from worker.jobs.results import field_result, segmentation_result, volume_result
from worker.outcome import Outcome


def warp(request: WarpRequest, context: JobContext) -> Outcome:
    """A volume and its segmentation moved along a component."""
    context.begin()
    model, volume = context.model(), context.image(request.volume)
    labels = context.labels(request.segmentation)
    context.on_stage("decode", 0.0)
    moved = move_along_component(
        model, volume, labels, request.component, request.scale, request.unit, Alignment(request.alignment)
    )
    results = [volume_result("warped", moved.warped)]
    if moved.warped_segmentation is not None:
        results.append(segmentation_result("warped_segmentation", moved.warped_segmentation))
    results.append(field_result("field", moved.field, request.field_format, volume.geometry))
    return Outcome(results=tuple(results))
