"""A worker's place over real stores, with what a caller would have put there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import get_args

from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.jobs import JobEvent
from eigenwarp.schemas.requests import JobKind, JobRequest
from eigenwarp.schemas.volumes import VolumeRow
from eigenwarp.settings import Settings
from eigenwarp.stores.database import JobRecord, VolumeRecord, open_database
from eigenwarp.stores.events import EventStream
from eigenwarp.stores.models import ModelStore
from eigenwarp.stores.objects import FolderStore, ObjectStore
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from worker.components import describe_components
from worker.runner import JobRunner
from worker.workplace import Workplace

KINDS: tuple[JobKind, ...] = get_args(JobKind)


@dataclass(frozen=True)
class Deployment:
    """A place to work at, and the callers' side of it.

    Args:
        model: published, and what jobs are pinned to.
    """

    place: Workplace
    model: ModelReference

    def upload(self, content: Volume | Segmentation, subject: str | None = None) -> str:
        """A volume into the stores; its id."""
        image = isinstance(content, Volume)
        file = volume_to_bytes(content) if image else segmentation_to_bytes(content)
        volume_id = f"sha256:{sha256(file).hexdigest()}"
        volumes = self.place.database.volumes
        key = volumes.reserve(volume_id)
        self.place.objects.put(key, file)
        row = VolumeRow(
            id=volume_id,
            kind="image" if image else "segmentation",
            shape=content.shape,
            spacing_mm=content.geometry.spacing,
            orientation=content.geometry.orientation,
            affine=content.geometry.affine.tolist(),
            dtype=content.data.dtype.name,
            labels=None if image else list(content.labels),
            bytes=len(file),
            subject=subject,
            created_at=datetime.now(UTC),
        )
        volumes.add(VolumeRecord(row=row, key=key))
        return volume_id

    def submit(self, request: JobRequest, volumes: Sequence[str] = (), subject: str | None = None) -> str:
        """A queued job; its id."""
        job, _ = self.place.database.jobs.submit(
            request,
            model=None if request.kind == "nothing" else self.model,
            caller="tests",
            volumes=volumes,
            subject=subject,
            idempotency_key=None,
            request_hash=None,
            max_queued=100_000,
        )
        return job.id

    def run(self, request: JobRequest, volumes: Sequence[str] = (), subject: str | None = None) -> JobRecord:
        """Submitted, run here and now, and looked at."""
        job_id = self.submit(request, volumes, subject)
        JobRunner(self.place).run(job_id, "here")
        return self.job(job_id)

    def job(self, job_id: str) -> JobRecord:
        return self.place.database.jobs.get(job_id)

    def result(self, job: JobRecord, name: str) -> bytes:
        """The bytes of one of its results."""
        (key,) = (artefact.key for artefact in job.artefacts if artefact.name == name)
        return self.place.objects.get(key)

    def keys(self, prefix: str) -> list[str]:
        """Of the objects under a prefix."""
        return [found.key for found in self.place.objects.list(prefix)]

    def events(self, job_id: str) -> list[JobEvent]:
        """Of a job that has ended."""

        async def collect() -> list[JobEvent]:
            return [event async for _, event in self.place.events.follow(job_id)]

        return asyncio.run(asyncio.wait_for(collect(), 30))


def make_deployment(settings: Settings, bundle: Path, objects: ObjectStore | None = None) -> Deployment:
    """A new database with its schema, and the bundle published.

    Args:
        objects: in place of the folder that the settings name.
    """
    database = open_database(settings.database)
    database.migrate()
    store = FolderStore(settings.objects_folder) if objects is None else objects
    table = describe_components(RegistrationModel.load(str(bundle), "cpu"))
    model = ModelStore(store).publish(bundle, table)
    events = EventStream(settings.redis_url.get_secret_value())
    return Deployment(Workplace.over(settings, database, store, events), model)
