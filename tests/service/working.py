"""A worker's runner in a thread, over the same stores as the web application: jobs end, without a second process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.document import ModelReference
from eigenwarp.settings import Settings
from eigenwarp.stores.models import ModelStore
from eigenwarp.stores.objects import ObjectStore
from worker.components import describe_components
from worker.runner import JobRunner
from worker.workplace import Workplace


def publish(objects: ObjectStore, bundle: Path) -> ModelReference:
    """A bundle into the object store."""
    return ModelStore(objects).publish(bundle, describe_components(RegistrationModel.load(str(bundle), "cpu")))


@contextmanager
def working(settings: Settings) -> Iterator[Workplace]:
    """Jobs of these settings' database are run as they come, one after another."""
    place = Workplace.open(settings)
    runner, stop = JobRunner(place), Event()

    def work() -> None:
        while not stop.is_set():
            for job_id in place.database.jobs.queued(10, datetime.now(UTC)):
                runner.run(job_id, "thread")
            time.sleep(0.01)

    thread = Thread(target=work, name="worker-under-test", daemon=True)
    thread.start()
    try:
        yield place
    finally:
        stop.set()
        thread.join(60)
        place.close()
        assert not thread.is_alive(), "the worker did not stop"
