"""A job's progress as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from eigenwarp.schemas.jobs import FINAL_STATES, JobEvent
from service.access import Reader
from service.declarations import declared
from service.resources import ResourcesDep
from service.routes.jobs import Job
from service.watching import IDLE_SECONDS, watch_job

router = APIRouter(prefix="/jobs", tags=["jobs"])

_HEARTBEAT_SECONDS = 5.0
_MEDIA_TYPE = "text/event-stream"
Events = AsyncGenerator[tuple[str | None, JobEvent] | None, None]

_EXAMPLE = (
    'id: 1764000000000-0\nevent: progress\ndata: {"job":"job_0f…","state":"running",'
    '"progress":{"stage":"encode","fraction":0.2},"attempt":1,"at":"2026-01-01T00:00:00Z"}\n\n'
)
_ITEM = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"type": "string"},
        "event": {"enum": ["progress", "state"]},
        "retry": {"type": "integer"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/JobEvent"},
        },
    },
}


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={
        **declared("job-unknown", "option-invalid"),
        200: {
            "description": "Events named `progress` and `state`, each a JobEvent, until the job has ended.",
            "content": {_MEDIA_TYPE: {"itemSchema": _ITEM, "example": _EXAMPLE}},
        },
        204: {"description": "The job has ended, and the caller has seen its last event."},
    },
)
async def follow_job(
    request: Request,
    resources: ResourcesDep,
    caller: Reader,
    job_id: Job,
    last_event_id: Annotated[
        str | None,
        Header(
            description="Of the last event seen: those after it follow.", pattern=r"^([0-9]{1,20}(-[0-9]{1,20})?)?$"
        ),
    ] = None,
) -> Response:
    """Progress and state, from the job's beginning or from after `Last-Event-ID`, to its end.

    Comments come while nothing happens, so that both sides notice a dead connection.
    """
    job = await run_in_threadpool(resources.database.jobs.get, job_id)
    events = watch_job(resources, job_id, last_event_id or "")
    # Asked for before the answer begins, so that an id that is none is refused.
    first = await anext(events, None)
    if job.state in FINAL_STATES and last_event_id and (first is None or first[0] is None):
        await events.aclose()
        return Response(status_code=204)
    return StreamingResponse(
        _stream(first, events), media_type=_MEDIA_TYPE, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _stream(first: tuple[str | None, JobEvent] | None, events: Events) -> AsyncIterator[str]:
    idle = 0.0
    state: str | None = None
    async with aclosing(events):
        yield "retry: 2000\n\n"
        found: tuple[str | None, JobEvent] | None = first
        while True:
            if found is None:
                idle += IDLE_SECONDS
                if idle >= _HEARTBEAT_SECONDS:
                    idle = 0.0
                    yield ": still here\n\n"
            else:
                idle = 0.0
                event_id, event = found
                yield _spelled(event_id, event, "progress" if event.state == state else "state")
                state = event.state
            try:
                found = await anext(events)
            except StopAsyncIteration:
                return


def _spelled(event_id: str | None, event: JobEvent, name: str) -> str:
    identified = "" if event_id is None else f"id: {event_id}\n"
    return f"{identified}event: {name}\ndata: {event.model_dump_json()}\n\n"
