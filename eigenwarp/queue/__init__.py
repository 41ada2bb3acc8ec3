"""Celery on Redis: a message carries a job id and nothing else."""
