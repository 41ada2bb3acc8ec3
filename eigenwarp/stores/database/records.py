"""What the repositories take and give. All times are aware and in UTC."""

from dataclasses import dataclass, field
from datetime import datetime

from eigenwarp.schemas.access import Scope
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.jobs import JobState, Progress
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.schemas.requests import JobKind, JobRequest
from eigenwarp.schemas.volumes import UploadRequest, VolumeRow


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Args:
        id: of the key, or the token's subject; jobs, idempotency keys and audit entries carry it.
        name: for people.
        scopes: what the caller may do.
    """

    id: str
    name: str
    scopes: frozenset[Scope]


@dataclass(frozen=True)
class KeyRecord:
    """An API key, without the key: only a hash of its secret is kept."""

    id: str
    name: str
    secret_hash: str = field(repr=False)
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Artefact:
    """A file that a job made.

    Args:
        name: of the result, such as ``field``.
        key: in the object store.
        bytes: its length.
        sha256: of its bytes, 64 hexadecimal digits.
        filename: what it is offered as for download.
    """

    name: str
    key: str
    content_type: str
    bytes: int
    sha256: str
    filename: str


@dataclass(frozen=True)
class JobRecord:
    """The truth about a job.

    Args:
        caller: the id of who submitted it.
        subject: whose history the result goes into.
        attempt: times a worker has begun it.
        token: the fencing token: grows with every claim; only its holder may write.
        lease_until: when a silent worker has lost a running job.
        worker: who holds it, or held it last.
        enqueued_at: when its message was last sent; None while that is still to be done.
        started_at: of the latest attempt.
    """

    id: str
    kind: JobKind
    state: JobState
    request: JobRequest
    model: ModelReference | None
    caller: str
    subject: str | None
    attempt: int
    token: int
    lease_until: datetime | None
    cancel_requested: bool
    progress: Progress | None
    report: Report | None
    projection: Projection | None
    problem: Problem | None
    artefacts: tuple[Artefact, ...]
    worker: str | None
    created_at: datetime
    enqueued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Claim:
    """A job that is ours as long as the lease is renewed, and the token that proves it."""

    job: JobRecord
    token: int


@dataclass(frozen=True)
class HistoryEntry:
    """A projection to be kept in a subject's history, by the job that made it."""

    subject: str
    volume: str
    acquired_at: datetime | None
    projection: Projection


@dataclass(frozen=True)
class VolumeRecord:
    """A volume and where its bytes are.

    Args:
        row: what callers see.
        key: in the object store.
    """

    row: VolumeRow
    key: str


@dataclass(frozen=True)
class UploadRecord:
    """A place that was promised for a large file.

    Args:
        id: ``upl_`` and 32 hexadecimal digits.
        request: what was announced.
        key: where the bytes are put.
        caller: the id of who asked.
    """

    id: str
    request: UploadRequest
    key: str
    caller: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class DoomedObject:
    """An object that nothing refers to any more and that is still to be deleted; a prefix if its key ends in ``/``."""

    id: int
    key: str
    due_at: datetime

    @property
    def is_prefix(self) -> bool:
        """Whether everything under the key goes."""
        return self.key.endswith("/")


@dataclass(frozen=True)
class Erased:
    """What an erasure removed from the database, and the objects that are still to be deleted.

    Args:
        volumes, jobs: their ids.
        coefficients: rows of the subject's history.
        doomed: to be deleted from the object store, then forgotten with ``Database.doomed.forget``. Whatever is not
            stays in the database and is found again by ``Database.doomed.due``. Some fall due only later: what a
            worker that has not yet noticed may still write.
    """

    volumes: tuple[str, ...]
    jobs: tuple[str, ...]
    coefficients: int
    doomed: tuple[DoomedObject, ...]


@dataclass(frozen=True)
class AuditEntry:
    """An access to a volume, a result or a subject.

    Args:
        caller: the id of who asked.
        action: such as ``volume.read`` or ``subject.erase``.
        target: the id of the volume, job or subject that was accessed, alone; ``erased`` once that is.
        outcome: ``done``, or the code of the problem that it was answered with.
        request_id: under which the log tells more.
    """

    at: datetime
    caller: str
    action: str
    target: str
    outcome: str
    request_id: str | None = None
