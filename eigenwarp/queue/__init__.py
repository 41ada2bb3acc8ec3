"""Celery on Redis: a message carries a job id and nothing else."""

from eigenwarp.queue.celery_app import QUEUE_NAME, TASK_NAME, WORKER_ENVIRONMENT, WORKER_OPTIONS, make_celery
from eigenwarp.queue.job_queue import JobQueue

__all__ = ["QUEUE_NAME", "TASK_NAME", "WORKER_ENVIRONMENT", "WORKER_OPTIONS", "JobQueue", "make_celery"]
