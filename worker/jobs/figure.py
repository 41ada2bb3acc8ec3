"""``GET /components/{k}/figure.png``."""

from eigenwarp.schemas.requests import FigureRequest
from eigenwarp.stores.models import derived_key
from worker.jobs.context import JobContext
from worker.outcome import PNG, Outcome, Result
from worker.report import reference


def figure(request: FigureRequest, context: JobContext) -> Outcome:
    """A component's picture, kept for whoever asks next."""
    # Matplotlib takes a second to load, and most workers draw nothing.
    from worker.figure import component_figure

    context.begin()
    model = context.model()
    context.on_stage("draw", 0.0)
    picture = component_figure(model, request.component, request.scale, request.unit)
    key = derived_key(reference(model), request)
    return Outcome(results=(Result("figure", "figure.png", PNG, lambda: picture, keep_as=key),))
