"""What the web application holds while it runs: made when it starts, given back when it stops."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from eigenwarp.queue import JobQueue
from eigenwarp.queue.recovery_loop import RecoveryLoop
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Database, open_database
from eigenwarp.stores.events import EventStream
from eigenwarp.stores.models import ModelStore
from eigenwarp.stores.objects import ObjectStore, open_object_store
from service.access import Access
from service.rate_limit import RateLimiter
from service.signed_put import SignedPut
from service.spool import open_spool


@dataclass(frozen=True, eq=False)
class Resources:
    """Clients and limits of one web process. Calls to the stores block: make them in a thread.

    Args:
        spool: this process's own folder for uploads that arrive.
        uploads: signs URLs that files can be put to.
        checks: of the threads in which uploads are checked, each of which takes a core.
    """

    settings: Settings
    database: Database
    objects: ObjectStore
    models: ModelStore
    events: EventStream
    queue: JobQueue
    access: Access
    spool: Path
    uploads: SignedPut
    checks: CapacityLimiter


@contextmanager
def open_resources(settings: Settings) -> Iterator[Resources]:
    """Everything in ``Resources``, closed in reverse order. No store has to answer yet.

    Raises:
        StoreUnavailableError: the data folder cannot be written to.
        OptionInvalidError: neither keys nor a token issuer, and an address that others can reach.
    """
    with ExitStack() as stack:
        spool = stack.enter_context(open_spool(settings.spool_folder))
        database = open_database(settings.database)
        stack.callback(database.close)
        objects = open_object_store(settings)
        stack.callback(objects.close)
        events = EventStream(settings.redis_url.get_secret_value())
        stack.callback(events.close)
        queue = JobQueue(settings)
        stack.callback(queue.close)
        if settings.database.startswith("sqlite"):
            # One machine, one file, nobody to run a migration job beforehand.
            database.migrate()
        limiter = RateLimiter(
            settings.redis_url.get_secret_value(), settings.requests_per_minute, settings.failures_per_minute
        )
        stack.callback(limiter.close)
        access = Access(settings, database, limiter)
        access.require_safe_binding()
        # Last in and first out: it uses what is above.
        stack.enter_context(RecoveryLoop(database, queue, objects, settings))
        yield Resources(
            settings=settings,
            database=database,
            objects=objects,
            models=ModelStore(objects),
            events=events,
            queue=queue,
            access=access,
            spool=spool,
            uploads=SignedPut(settings),
            checks=CapacityLimiter(settings.max_waiting_uploads),
        )


def resources_of(request: Request) -> Resources:
    """The dependency that hands them to a route."""
    resources: Resources = request.app.state.resources
    return resources


ResourcesDep = Annotated[Resources, Depends(resources_of)]
