"""A job from now to its end: by its live events, and by its row whenever those fall silent or Redis is away."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.concurrency import run_in_threadpool

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.schemas.jobs import FINAL_STATES, JobEvent
from eigenwarp.stores.database.records import JobRecord
from service.job_rows import job_event
from service.resources import Resources

IDLE_SECONDS = 1.0


async def watch_job(
    resources: Resources, job_id: str, last_id: str = ""
) -> AsyncGenerator[tuple[str | None, JobEvent] | None, None]:
    """A job's events, those of the past first, up to its final state.

    Args:
        last_id: of the last event that was seen; ``""`` for all.

    Yields:
        An event and its id, which one that was read from the row has not; None after each idle second.

    Raises:
        OptionInvalidError: ``last_id`` is none.
        JobUnknownError: no such job, or it has been erased meanwhile.
        StoreUnavailableError: the database does not answer.
    """
    told: JobEvent | None = None
    try:
        async with aclosing(resources.events.watch(job_id, last_id, idle_seconds=IDLE_SECONDS)) as events:
            async for found in events:
                if found is not None:
                    told = found[1]
                    yield found
                    if told.state in FINAL_STATES:
                        return
                    continue
                event = await _row_event(resources, job_id)
                # The stream may have been lost, or its end: the row is the truth.
                if event.state in FINAL_STATES or (told is None and not last_id):
                    told = event
                    yield None, event
                    if event.state in FINAL_STATES:
                        return
                yield None
    except StoreUnavailableError:
        # Redis is away. Its own errors only: those of the database come again below, and are let through.
        pass
    while True:
        event = await _row_event(resources, job_id)
        if told is None or event.model_copy(update={"at": told.at}) != told:
            told = event
            yield None, event
            if event.state in FINAL_STATES:
                return
        yield None
        await asyncio.sleep(IDLE_SECONDS)


async def wait_for_end(resources: Resources, job_id: str, seconds: float) -> JobRecord:
    """The job once it has ended, or as it is when the time is over.

    Raises:
        JobUnknownError, StoreUnavailableError: as ``watch_job``.
    """
    try:
        async with asyncio.timeout(seconds), aclosing(watch_job(resources, job_id)) as events:
            async for _ in events:
                pass
    except TimeoutError:
        pass
    return await run_in_threadpool(resources.database.jobs.get, job_id)


async def _row_event(resources: Resources, job_id: str) -> JobEvent:
    return job_event(await run_in_threadpool(resources.database.jobs.get, job_id))
