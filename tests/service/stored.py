"""What callers and workers would have put into the stores, put there directly."""

from datetime import UTC, datetime
from uuid import uuid4

from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.requests import ProjectRequest
from eigenwarp.schemas.volumes import VolumeRow
from eigenwarp.stores.database.records import Artefact, HistoryEntry, VolumeRecord
from service.resources import Resources

CREATED = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = ModelReference(name="tiny", version="0123456789ab")


def projection(*coefficients: float, model: ModelReference = MODEL) -> Projection:
    """With these coefficients, each its own z-score halved."""
    return Projection(
        model=model,
        coefficients=list(coefficients),
        z_scores=[value / 2 for value in coefficients],
        explained_variance_ratio=[1 / len(coefficients)] * len(coefficients),
        mahalanobis=1.5,
        mahalanobis_percentile=40.0,
        reconstruction_residual=0.25,
        reconstruction_residual_percentile=60.0,
        warnings=[],
    )


def store_volume(resources: Resources, subject: str | None = None) -> str:
    """A volume, with an encoding that a worker keeps; its id."""
    identifier = f"sha256:{uuid4().hex}{uuid4().hex}"
    key = resources.database.volumes.reserve(identifier)
    resources.objects.put(key, f"voxels of {identifier} of {subject}".encode())
    row = VolumeRow(
        id=identifier,
        kind="image",
        shape=(4, 4, 4),
        spacing_mm=(1.0, 1.0, 1.0),
        orientation="RAS",
        affine=[[float(i == j) for j in range(4)] for i in range(4)],
        dtype="uint8",
        bytes=64,
        subject=subject,
        created_at=CREATED,
    )
    resources.database.volumes.add(VolumeRecord(row=row, key=key))
    code = f"codes/{MODEL.version}/{identifier.removeprefix('sha256:')}"
    resources.database.volumes.add_code_keys(identifier, [code])
    resources.objects.put(code, b"an encoding")
    return identifier


def submit_projection(resources: Resources, volume: str, subject: str | None) -> str:
    """A queued job; its id."""
    job, _ = resources.database.jobs.submit(
        ProjectRequest(volume=volume, subject=subject),
        model=MODEL,
        caller="tests",
        volumes=[volume],
        subject=subject,
        idempotency_key=None,
        request_hash=None,
        max_queued=1000,
    )
    return job.id


def finish_projection(
    resources: Resources, job_id: str, found: Projection, acquired_at: datetime | None = None
) -> None:
    """As a worker does: claim, write, commit."""
    claim = resources.database.jobs.claim(job_id, "a-worker", 60.0, 3)
    assert claim is not None
    key = f"jobs/{job_id}/{claim.token}/coefficients.json"
    content = found.model_dump_json().encode()
    resources.objects.put(key, content)
    artefact = Artefact("coefficients", key, "application/json", len(content), "0" * 64, "coefficients.json")
    request = claim.job.request
    assert isinstance(request, ProjectRequest)
    history = HistoryEntry(request.subject, request.volume, acquired_at, found) if request.subject else None
    resources.database.jobs.succeed(job_id, claim.token, [artefact], projection=found, history=history)


def project(resources: Resources, subject: str, found: Projection, acquired_at: datetime | None = None) -> str:
    """A subject's volume, projected; the job's id."""
    job_id = submit_projection(resources, store_volume(resources, subject), subject)
    finish_projection(resources, job_id, found, acquired_at)
    return job_id
