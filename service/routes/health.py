"""Whether the process lives, whether it can serve, and its numbers. Open to all: nothing here tells of a person."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.log import get_logger
from eigenwarp.schemas.document import Document
from service.declarations import declared
from service.metrics import Metrics
from service.resources import ResourcesDep

router = APIRouter(tags=["health"])

_CHECK_SECONDS = 4.0
_log = get_logger(__name__)


class Health(Document):
    """All is well."""

    status: Literal["ok", "ready"]


@router.get("/healthz")
async def is_alive() -> Health:
    """The process answers. Asks no store: a restart would not bring one back."""
    return Health(status="ok")


@router.get("/readyz", responses={503: declared("store-unavailable")[503]})
def is_ready(resources: ResourcesDep) -> Health:
    """The database, the object store and the queue answer; 503 names those that do not."""
    down = _silent(
        {"database": resources.database.check, "store": resources.objects.check, "queue": resources.queue.check}
    )
    if down:
        raise StoreUnavailableError(f"not answering: {', '.join(down)}")
    return Health(status="ready")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def get_metrics(request: Request, resources: ResourcesDep) -> Response:
    """Prometheus' text format: requests, durations, jobs by state, the queue."""
    metrics: Metrics = request.app.state.metrics
    metrics.observe_jobs(resources.database, resources.queue)
    return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _silent(checks: dict[str, Callable[[], None]]) -> list[str]:
    """Names of those that fail or do not answer in time. All at once: three time-outs in a row are too long."""
    pool = ThreadPoolExecutor(len(checks), thread_name_prefix="readyz")
    try:
        asked = {name: pool.submit(check) for name, check in checks.items()}
        wait(asked.values(), timeout=_CHECK_SECONDS)
        down = []
        for name, answer in asked.items():
            error = answer.exception() if answer.done() else TimeoutError()
            if error is not None:
                _log.warning("not-ready", store=name, error=type(error).__name__)
                down.append(name)
        return down
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
