"""``POST /project``."""

from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.requests import ProjectRequest
from eigenwarp.stores.database import HistoryEntry
from worker.engine import project_volume, project_whole_head
from worker.jobs.context import JobContext
from worker.jobs.results import document_result
from worker.outcome import Outcome


def project(request: ProjectRequest, context: JobContext) -> Outcome:
    """A volume's coefficients, kept in a subject's history where one is named."""
    context.begin()
    model, volume = context.model(), context.image(request.volume)
    alignment = Alignment(request.alignment)
    if request.localize is None:
        context.on_stage("encode", 0.0)
        projection = project_volume(model, volume, alignment)
    else:
        context.on_stage("locate", 0.0)
        projection = project_whole_head(model, volume, request.localize, alignment)
    history = None
    if request.subject is not None:
        history = HistoryEntry(request.subject, request.volume, request.acquired_at, projection)
    return Outcome(results=(document_result("coefficients", projection),), projection=projection, history=history)
