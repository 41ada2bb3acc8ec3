"""The process that computes: forked by Celery's, with connections, models and CUDA of its own."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from eigenwarp.errors import EigenwarpError
from eigenwarp.log import configure_logging, get_logger
from eigenwarp.settings import Settings

_log = get_logger(__name__)


class Child:
    """Made in the parent, where it is empty and torch is not even loaded; filled after the fork.

    Args:
        settings: of the deployment.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Any: naming the classes would load torch in the parent.
        self._place: Any = None
        self._runner: Any = None

    def begin(self, **_: object) -> None:
        """Load what computes, and the default model, so that the first job does not wait for it."""
        configure_logging(self._settings)
        from worker.runner import JobRunner
        from worker.threads import use_all_cores
        from worker.workplace import Workplace

        use_all_cores()
        self._place = Workplace.open(self._settings)
        self._runner = JobRunner(self._place)
        self._place.watch.start()
        try:
            reference = self._place.models.resolve(self._settings.default_model)
            self._place.model(reference)
        except EigenwarpError as error:
            _log.warning("the default model is not at hand", model=self._settings.default_model, reason=error.detail)

    def run(self, job_id: str, worker: str) -> None:
        """One job; while it runs, being told to end gives it back."""
        if self._runner is None:
            self.begin()
        with self._giving_back():
            self._runner.run(job_id, worker)
        if self._runner.is_spent:
            _log.error("the device has failed: another process takes over")
            os.kill(os.getpid(), signal.SIGTERM)

    def end(self, **_: object) -> None:
        """Give everything back."""
        if self._place is not None:
            self._place.close()
            self._place = self._runner = None

    @contextmanager
    def _giving_back(self) -> Iterator[None]:
        """Celery's process sends SIGTERM once a shutdown has waited enough; outside of a job it ends this process."""
        told = False

        def stop(number: int, frame: FrameType | None) -> None:
            nonlocal told
            told = True
            self._place.stopping.request()

        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
            if told:
                os.kill(os.getpid(), signal.SIGTERM)
