"""Erasing a subject or a volume: first all that the database holds, then the bytes, the encodings and the events.

The database's part is one transaction, and remembers in it what is still to be deleted elsewhere. From there on nothing
can be lost: what this request does not finish, because it is killed or a store is away, the recovery loop does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.log import get_logger
from eigenwarp.schemas.subjects import Erasure
from eigenwarp.stores.database.records import DoomedObject, Erased
from service.resources import Resources

_log = get_logger(__name__)


def erase_subject(resources: Resources, subject: str) -> Erasure:
    """Everything held on a subject.

    Raises:
        SubjectUnknownError: nothing is held, or no longer.
        StoreUnavailableError: the database does not answer; nothing was erased.
    """
    return _finish(resources, resources.database.subjects.erase(subject))


def erase_volume(resources: Resources, volume_id: str) -> Erasure:
    """A volume and all that was computed from it.

    Raises:
        VolumeUnknownError: no such volume, or no longer.
        VolumeInUseError: a job that has not ended needs it.
        StoreUnavailableError: the database does not answer; nothing was erased.
    """
    return _finish(resources, resources.database.volumes.delete(volume_id))


def _finish(resources: Resources, erased: Erased) -> Erasure:
    now = datetime.now(UTC)
    due = [one for one in erased.doomed if one.due_at <= now]
    gone, objects = _delete(resources, due)
    _forget_events(resources, erased.jobs)
    return Erasure(
        volumes=len(erased.volumes),
        jobs=len(erased.jobs),
        coefficients=erased.coefficients,
        objects=objects,
        pending=len(due) - len(gone),
    )


def _delete(resources: Resources, doomed: Sequence[DoomedObject]) -> tuple[list[DoomedObject], int]:
    """Those that are gone now, and how many objects they were. Of a store that is away the rest stays doomed."""
    gone: list[DoomedObject] = []
    objects = 0
    try:
        for one in doomed:
            if one.is_prefix:
                objects += resources.objects.delete_prefix(one.key)
            else:
                objects += resources.objects.stat(one.key) is not None
                resources.objects.delete(one.key)
            gone.append(one)
    except StoreUnavailableError:
        _log.warning("objects wait for their deletion")
    try:
        resources.database.doomed.forget(gone)
    except StoreUnavailableError:
        _log.warning("deleted objects are deleted again later")
    return gone, objects


def _forget_events(resources: Resources, jobs: Sequence[str]) -> None:
    # They hold states and times alone, and end by themselves.
    try:
        for job in jobs:
            resources.events.delete(job)
    except StoreUnavailableError:
        _log.warning("events of erased jobs are left to expire")
