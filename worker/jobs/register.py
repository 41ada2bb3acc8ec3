"""``POST /register``."""

from functools import partial

from eigenwarp.model.registration import Refine
from eigenwarp.model.stages import part_of
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.requests import RegisterRequest
from worker.engine import RegistrationOutputs, register_volumes, register_whole_heads
from worker.jobs.context import JobContext
from worker.jobs.results import document_result, field_result, segmentation_result, volume_result
from worker.outcome import PNG, Outcome, Result

# The share of the time after which a picture is drawn, where one is.
_REGISTERED = 0.5


def register(request: RegisterRequest, context: JobContext) -> Outcome:
    """One volume onto another, with the results that were asked for; the report goes with the job in any case."""
    context.begin()
    options = request.options
    drawn = "explanation" in options.outputs
    localize = options.localize
    # Whole heads take the crop's way; everything else is the same.
    run = register_volumes if localize is None else partial(register_whole_heads, localize=localize)
    outputs = run(
        context.model(),
        context.image(request.moving),
        context.image(request.fixed),
        moving_segmentation=context.labels(request.moving_segmentation),
        fixed_segmentation=context.labels(request.fixed_segmentation),
        refine=Refine(options.refine),
        alignment=Alignment(options.alignment),
        components=options.components,
        on_stage=part_of(context.on_stage, 0, _REGISTERED) if drawn else context.on_stage,
    )
    made = _results(request, outputs)
    if drawn and outputs.report.explanation is not None:
        context.on_stage("draw", _REGISTERED)
        made["explanation"] = _picture(outputs)
    return Outcome(results=tuple(made[name] for name in options.outputs if name in made), report=outputs.report)


def _picture(outputs: RegistrationOutputs) -> Result:
    # Matplotlib takes a second to load, and most registrations ask for no picture.
    from worker.explanation_figure import explanation_figure

    picture = explanation_figure(outputs)
    return Result("explanation", "explanation.png", PNG, lambda: picture)


def _results(request: RegisterRequest, outputs: RegistrationOutputs) -> dict[str, Result]:
    format = request.options.field_format
    moving, fixed = outputs.inverse_field.geometry, outputs.field.geometry
    results = [
        field_result("field", outputs.field, format, moving),
        field_result("inverse_field", outputs.inverse_field, format, fixed),
        volume_result("warped", outputs.warped),
        volume_result("jacobian", outputs.jacobian),
        document_result("report", outputs.report),
    ]
    if outputs.warped_segmentation is not None:
        results.append(segmentation_result("warped_segmentation", outputs.warped_segmentation))
    return {result.name: result for result in results}
