"""A worker that is told to stop: its job may go on for a while, but not for ever."""

import os
import signal
from threading import Timer

from celery import Celery
from celery.signals import worker_shutting_down


def bound_shutdown(app: Celery, seconds: float) -> None:
    """After ``seconds`` a warm shutdown (SIGTERM, the first Ctrl-C) becomes a cold one, which gives messages back.

    Celery itself offers a warm shutdown without bound and, with ``REMAP_SIGTERM=SIGQUIT``, a soft one that always takes
    ``worker_soft_shutdown_timeout`` in full: it sleeps, and jobs that end meanwhile go unnoticed.
    """
    timers: list[Timer] = []

    def turn_cold() -> None:
        # The job has had its time already.
        app.conf.worker_soft_shutdown_timeout = 0.0
        os.kill(os.getpid(), signal.SIGQUIT)

    def begin(how: str, **_: object) -> None:
        if how == "Warm" and not timers:
            timers.append(Timer(seconds, turn_cold))
            timers[0].daemon = True
            timers[0].start()

    worker_shutting_down.connect(begin, weak=False, dispatch_uid="eigenwarp.shutdown")
