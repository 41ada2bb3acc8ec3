"""What a job costs besides its computation: rows, messages, leases; and what memory a thousand of them leave behind."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.processes import resident_mib, service_processes
from benchmarks.report import Cell
from eigenwarp.client import Client
from eigenwarp.queue import JobQueue
from eigenwarp.schemas.requests import NothingRequest
from eigenwarp.settings import Settings, load_settings
from eigenwarp.stores.database import Database, open_database
from eigenwarp.volume import Volume

_EMPTY_JOBS, _MEMORY_JOBS, _CLIENTS = 300, 1000, 8
_POLL_S = 0.01


def measure_path(
    home: Path, client: Client, volume: Volume, budget_seconds: float, progress: Callable[[str], None]
) -> list[tuple[Cell, ...]]:
    """Empty jobs past HTTP; projections of a volume whose code is known through it; memory before and after.

    Args:
        home: of the running service.
    """
    settings = load_settings({}, home=home, redis_url=_redis_url(home))
    database, queue = open_database(settings.database), JobQueue(settings)
    try:
        progress("empty jobs, one after another")
        single = _empty_jobs_in_turn(database, queue, settings, 50)
        progress(f"{_EMPTY_JOBS} empty jobs at once")
        together = _empty_jobs_together(database, queue, settings, _EMPTY_JOBS)
    finally:
        queue.close()
        database.close()
    stored = client.upload(volume)
    client.project(stored.id)
    web, worker = service_processes(home, "serve"), service_processes(home, "worker")
    before = resident_mib(web), resident_mib(worker)
    progress(f"{_MEMORY_JOBS} projections from {_CLIENTS} clients")
    started = time.perf_counter()
    done = 0
    with ThreadPoolExecutor(_CLIENTS) as pool:
        while done < _MEMORY_JOBS and time.perf_counter() - started < budget_seconds:
            done += sum(1 for _ in pool.map(lambda _: client.project(stored.id), range(100)))
    seconds = time.perf_counter() - started
    after = resident_mib(web), resident_mib(worker)
    return [
        ("empty job, row to done, one at a time", 1000 * single, "ms"),
        (f"{_EMPTY_JOBS} empty jobs at once", together, "jobs/s"),
        (f"projections over HTTP, code known, {_CLIENTS} clients", done / seconds, "jobs/s"),
        ("web process before and after", f"{before[0]:.0f} → {after[0]:.0f}", f"MiB, {done} jobs"),
        ("worker process before and after", f"{before[1]:.0f} → {after[1]:.0f}", f"MiB, {done} jobs"),
    ]


def _empty_jobs_in_turn(database: Database, queue: JobQueue, settings: Settings, count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        _wait(database, [_submit(database, queue, settings)])
    return (time.perf_counter() - started) / count


def _empty_jobs_together(database: Database, queue: JobQueue, settings: Settings, count: int) -> float:
    started = time.perf_counter()
    _wait(database, [_submit(database, queue, settings) for _ in range(count)])
    return count / (time.perf_counter() - started)


def _submit(database: Database, queue: JobQueue, settings: Settings) -> str:
    job, _ = database.jobs.submit(
        NothingRequest(),
        model=None,
        caller="benchmark",
        volumes=[],
        subject=None,
        idempotency_key=None,
        request_hash=None,
        max_queued=settings.max_queued_jobs,
    )
    queue.send(job.id)
    database.jobs.mark_enqueued([job.id])
    return job.id


def _wait(database: Database, jobs: list[str]) -> None:
    for job in jobs:
        while database.jobs.get(job).state != "succeeded":
            time.sleep(_POLL_S)


def _redis_url(home: Path) -> str:
    """With the password that the service made for this start."""
    lines = (home / "redis" / "redis.conf").read_text().splitlines()
    values = dict(line.split(" ", 1) for line in lines)
    return f"redis://:{values['requirepass']}@127.0.0.1:{values['port']}/0"
