"""Records to put into a database."""

from datetime import UTC, datetime, timedelta

from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.problem_types import problem
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import (
    Grid,
    InverseConsistencyReport,
    Jacobian,
    Labels,
    Options,
    Report,
    Similarity,
)
from eigenwarp.schemas.requests import JobRequest, NothingRequest, ProjectRequest, RegisterRequest
from eigenwarp.schemas.volumes import VolumeRow
from eigenwarp.stores.database import Artefact, Claim, Database, HistoryEntry, JobRecord, VolumeRecord

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MODEL = ModelReference(name="hippocampus", version="0123456789ab")
LEASE, ATTEMPTS = 30.0, 3


def after(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def volume_id(number: int) -> str:
    """A content's name."""
    return f"sha256:{number:064x}"


def volume_row(number: int, subject: str | None = None, acquired_at: datetime | None = None) -> VolumeRow:
    """A small image."""
    return VolumeRow(
        id=volume_id(number),
        kind="image",
        shape=(35, 51, 35),
        spacing_mm=(1.0, 1.0, 1.25),
        orientation="RAS",
        affine=[[1.0, 0.0, 0.0, -17.5], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.25, 0.0], [0.0, 0.0, 0.0, 1.0]],
        dtype="int16",
        bytes=1234,
        subject=subject,
        acquired_at=acquired_at,
        created_at=NOON,
    )


def add_volume(
    database: Database,
    number: int,
    subject: str | None = None,
    acquired_at: datetime | None = None,
    now: datetime | None = None,
) -> VolumeRecord:
    """A volume under a key that was reserved for it."""
    key = database.volumes.reserve(volume_id(number), now=now)
    record, _ = database.volumes.add(VolumeRecord(volume_row(number, subject, acquired_at), key), now=now)
    return record


def submit(
    database: Database,
    request: JobRequest | None = None,
    *,
    key: str | None = None,
    caller: str = "someone",
    hashed: str = "of-the-request",
    max_queued: int = 1000,
    now: datetime | None = None,
) -> JobRecord:
    """A job; its volumes and its subject are those that the request names."""
    return submit_or_find(database, request, key=key, caller=caller, hashed=hashed, max_queued=max_queued, now=now)[0]


def submit_or_find(
    database: Database,
    request: JobRequest | None = None,
    *,
    key: str | None = None,
    caller: str = "someone",
    hashed: str = "of-the-request",
    max_queued: int = 1000,
    now: datetime | None = None,
) -> tuple[JobRecord, bool]:
    """As ``submit``, and whether it is new."""
    request = request or NothingRequest()
    return database.jobs.submit(
        request,
        model=MODEL,
        caller=caller,
        volumes=volumes_of(request),
        subject=request.subject if isinstance(request, ProjectRequest) else None,
        idempotency_key=key,
        request_hash=hashed,
        max_queued=max_queued,
        now=now,
    )


def volumes_of(request: JobRequest) -> list[str]:
    """Ids of the volumes that a request names."""
    if isinstance(request, ProjectRequest):
        return [request.volume]
    if isinstance(request, RegisterRequest):
        return [request.moving, request.fixed]
    return []


def claim(database: Database, job_id: str, now: datetime | None = None, worker: str = "worker-1") -> Claim:
    """A claim that must succeed."""
    found = database.jobs.claim(job_id, worker, LEASE, ATTEMPTS, now=now)
    assert found is not None
    return found


def running(database: Database, request: JobRequest | None = None, now: datetime | None = None) -> Claim:
    """A job that a worker has just begun."""
    return claim(database, submit(database, request, now=now).id, now=now)


def projection(first: float = 1.5) -> Projection:
    """A volume's place in a basis of two components."""
    return Projection(
        model=MODEL,
        coefficients=[first, -0.25],
        z_scores=[1.0, -0.5],
        explained_variance_ratio=[0.6, 0.2],
        mahalanobis=1.1,
        mahalanobis_percentile=40.0,
        reconstruction_residual=0.3,
        reconstruction_residual_percentile=55.0,
        warnings=[],
    )


def projected(database: Database, number: int, subject: str, now: datetime | None = None) -> JobRecord:
    """A job that projected a volume and put it into a subject's history."""
    request = ProjectRequest(volume=volume_id(number), subject=subject)
    held = running(database, request, now=now)
    entry = HistoryEntry(subject=subject, volume=request.volume, acquired_at=None, projection=projection())
    database.jobs.succeed(
        held.job.id,
        held.token,
        [artefact(held, "coefficients")],
        projection=entry.projection,
        history=entry,
        now=now,
    )
    return database.jobs.get(held.job.id)


def artefact(held: Claim, name: str = "field") -> Artefact:
    """A file that the holder of a claim has made."""
    return Artefact(
        name=name,
        key=f"jobs/{held.job.id}/{held.token}/{name}.nii.gz",
        content_type="application/gzip",
        bytes=5_000_000_000,
        sha256="ab" * 32,
        filename=f"{name}.nii.gz",
    )


def failure() -> Problem:
    """Why a job failed."""
    return problem("empty-volume", "every voxel is 0")


def report() -> Report:
    """Of a registration whose label is volume 1 of both."""
    grid = Grid(shape=(35, 51, 35), spacing_mm=(1.0, 1.0, 1.25), orientation="RAS")
    return Report(
        model=MODEL,
        options=Options(refine="none", alignment="center", components=None),
        moving=grid,
        fixed=grid,
        similarity=Similarity(before=0.5, after=0.75, voxel_share=0.98),
        labels=Labels(moving_source=None, fixed_source=None, rows=[], mean_dice_before=None, mean_dice_after=None),
        jacobian=Jacobian(minimum=0.4, maximum=2.5, folding_share=0.0, sd_log=0.2),
        inverse_consistency=InverseConsistencyReport(mean_mm=0.1, p95_mm=0.2, max_mm=0.9, inside_share=0.97),
        coefficients=None,
        explanation=None,
        moving_domain=None,
        fixed_domain=None,
        warnings=[],
        timings_s={"load": 0.01, "decode": 0.05},
    )
