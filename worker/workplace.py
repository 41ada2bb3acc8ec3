"""Everything that a worker process has: stores, models, memory."""

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.document import ModelReference
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Database, open_database
from eigenwarp.stores.events import EventStream
from eigenwarp.stores.models import ModelStore
from eigenwarp.stores.objects import ObjectStore, open_object_store
from worker.caches import Memory
from worker.engine import Engine
from worker.erasure_watch import ErasureWatch
from worker.stopping import Stopping
from worker.stored_codes import StoredCodes
from worker.volume_reader import VolumeReader

_LONGEST_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Workplace:
    """One per process, made after the fork: connections, threads and CUDA do not survive one."""

    settings: Settings
    database: Database
    objects: ObjectStore
    models: ModelStore
    events: EventStream
    memory: Memory
    reader: VolumeReader
    codes: StoredCodes
    engine: Engine
    watch: ErasureWatch
    stopping: Stopping

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """On the stores that the settings name. Nothing is connected to yet."""
        return cls.over(
            settings,
            open_database(settings.database),
            open_object_store(settings),
            EventStream(settings.redis_url.get_secret_value()),
        )

    @classmethod
    def over(cls, settings: Settings, database: Database, objects: ObjectStore, events: EventStream) -> Self:
        """On stores that are open; ``close`` closes them."""
        memory = Memory(settings.worker_cache_bytes)
        reader = VolumeReader(settings, database.volumes, objects, memory)
        codes = StoredCodes(database.volumes, objects, memory, reader)
        return cls(
            settings=settings,
            database=database,
            objects=objects,
            models=ModelStore(objects),
            events=events,
            memory=memory,
            reader=reader,
            codes=codes,
            engine=Engine(settings.device, codes=codes.of),
            watch=ErasureWatch(database, memory, min(settings.lease_seconds / 3, _LONGEST_LOOK_SECONDS)),
            stopping=Stopping(),
        )

    def model(self, reference: ModelReference) -> RegistrationModel:
        """A version of a model, fetched and loaded where it is not held."""
        return self.engine.pinned(reference, self._fetch)

    def free_memory(self) -> None:
        """Give back what can be fetched or computed again."""
        self.memory.clear()
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Threads end, connections are given back."""
        self.watch.stop()
        self.events.close()
        self.objects.close()
        self.database.close()

    def _fetch(self, reference: ModelReference) -> Path:
        return self.models.fetch(reference, self.settings.cache_folder)
