"""Bringing back what a crash, a lost message or an absent store left undone. Any number of processes may do it at once.

The rows say what there is to do; a message only says that a worker should look. So whatever became of Redis, of a
worker or of the process that accepted a job, the row is found here and a message is sent again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.queue.job_queue import JobQueue
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Database, DoomedObject
from eigenwarp.stores.objects import ObjectStore

_T = TypeVar("_T")

_BATCH = 500
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Recovered:
    """What one round did.

    Args:
        expired: jobs whose worker fell silent, queued again.
        sent: jobs that a message was sent for, those included.
        uploads: uploads that were promised, never completed, and given up.
        deleted: objects and prefixes that nothing referred to any more.
        unavailable: why a part of the round could not be done; the next round does it.
    """

    expired: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    uploads: int = 0
    deleted: int = 0
    unavailable: tuple[str, ...] = ()


def recover(
    database: Database, queue: JobQueue, objects: ObjectStore, settings: Settings, now: datetime | None = None
) -> Recovered:
    """One round. A store that is away keeps none of the other parts from being done."""
    moment = now if now is not None else datetime.now(UTC)
    unavailable: list[str] = []

    def attempt(part: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return part()
        except StoreUnavailableError as error:
            unavailable.append(error.detail)
            return otherwise

    sent: list[str] = []
    none: list[str] = []
    expired = attempt(lambda: database.jobs.expire_leases(settings.max_attempts, moment), none)
    attempt(lambda: _send_missing(database, queue, objects, settings, moment, sent), None)
    uploads = attempt(lambda: _give_up_uploads(database, moment), 0)
    deleted = attempt(lambda: _delete_doomed(database, objects, moment, unavailable), 0)
    # One store that is away is met by several parts.
    return Recovered(tuple(expired), tuple(sent), uploads, deleted, tuple(dict.fromkeys(unavailable)))


def _send_missing(
    database: Database, queue: JobQueue, objects: ObjectStore, settings: Settings, moment: datetime, sent: list[str]
) -> None:
    """Send for the queued jobs that no message was ever sent for, or that have lost it.

    A queued job's message waits in Redis; a message that a worker holds is that of a running job. So as many messages
    are missing as there are more queued jobs than waiting messages, and the jobs sent longest ago are taken for them.
    Where that guess is wrong, a worker finds the job done or taken, and the next round counts again.
    """
    new = database.jobs.queued(_BATCH, _BEFORE_ALL)
    # In this order: a job that is submitted in between is not taken for a lost one.
    missing = database.jobs.count("queued") - queue.waiting() - len(new)
    settled = moment - timedelta(seconds=settings.recovery_seconds)
    lost = database.jobs.queued(len(new) + min(missing, _BATCH), settled)[len(new) :] if missing > 0 else []
    wanted = [*new, *lost]
    if not wanted:
        return
    # A worker could only fail without it, at the cost of an attempt each time.
    objects.check()
    try:
        for job_id in wanted:
            queue.send(job_id)
            sent.append(job_id)
    finally:
        database.jobs.mark_enqueued(sent, moment)


def _give_up_uploads(database: Database, moment: datetime) -> int:
    expired = database.uploads.expired(moment)
    for upload in expired:
        database.uploads.delete(upload.id, moment)
    return len(expired)


def _delete_doomed(database: Database, objects: ObjectStore, moment: datetime, unavailable: list[str]) -> int:
    deleted: list[DoomedObject] = []
    try:
        for doomed in database.doomed.due(_BATCH, moment):
            if doomed.is_prefix:
                objects.delete_prefix(doomed.key)
            else:
                objects.delete(doomed.key)
            deleted.append(doomed)
    except StoreUnavailableError as error:
        unavailable.append(error.detail)
    database.doomed.forget(deleted)
    return len(deleted)
