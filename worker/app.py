"""The Celery application of a worker: ``eigenwarp worker``, or ``celery --app worker.app worker``."""

from functools import cache
from typing import Any

from celery import Celery, bootsteps, signals
from celery.worker import state

from eigenwarp.queue import TASK_NAME, JobQueue, make_celery
from eigenwarp.settings import Settings, load_settings
from worker.child import Child
from worker.liveness import Liveness, liveness_file

# Loading torch from a cold disk takes longer than the four seconds that Celery gives a child.
_CHILD_START_SECONDS = 120.0


def make_app(settings: Settings) -> Celery:
    """A worker's Celery: one task, one child process, a heartbeat, an orderly end.

    Nothing is connected to, no torch is loaded and no device is touched before the fork.
    """
    app = make_celery(settings)
    app.conf.worker_proc_alive_timeout = _CHILD_START_SECONDS
    child = Child(settings)

    @app.task(name=TASK_NAME, bind=True)  # type: ignore[untyped-decorator]
    def run_job(task: Any, job_id: str) -> None:
        child.run(job_id, task.request.hostname)

    signals.worker_process_init.connect(child.begin, weak=False, dispatch_uid="eigenwarp.child")
    signals.worker_process_shutdown.connect(child.end, weak=False, dispatch_uid="eigenwarp.child")
    app.steps["consumer"].add(_heartbeat(settings))
    return app


def _heartbeat(settings: Settings) -> type[bootsteps.StartStopStep]:
    """A step's class, because Celery makes its steps itself."""

    class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
        """Turned by the loop that takes messages; begun anew with every connection."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            self._liveness: Liveness | None = None

        def start(self, consumer: Any) -> None:
            if self._liveness is None:
                file = liveness_file(settings.cache_folder, consumer.hostname)
                waiting = JobQueue(settings).waiting
                self._liveness = Liveness(file, waiting, lambda: bool(state.reserved_requests))
                self._liveness.start()
            consumer.timer.call_repeatedly(1.0, self._liveness.turned)

        def shutdown(self, consumer: Any) -> None:
            if self._liveness is not None:
                self._liveness.stop()

    return Heartbeat


@cache
def _from_environment() -> Celery:
    return make_app(load_settings())


def __getattr__(name: str) -> Celery:
    """``app``, made when Celery's own command first asks for it and not at import."""
    if name == "app":
        return _from_environment()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
