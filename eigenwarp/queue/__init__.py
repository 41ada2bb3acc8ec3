"""Celery on Redis: a message carries a job id and nothing else."""

from eigenwarp.queue.celery_app import QUEUE_NAME, TASK_NAME, WORKER_OPTIONS, make_celery
from eigenwarp.queue.job_queue import JobQueue
from eigenwarp.queue.recovery import Recovered, recover
from eigenwarp.queue.recovery_loop import RecoveryLoop

__all__ = [
    "QUEUE_NAME",
    "TASK_NAME",
    "WORKER_OPTIONS",
    "JobQueue",
    "Recovered",
    "RecoveryLoop",
    "make_celery",
    "recover",
]
