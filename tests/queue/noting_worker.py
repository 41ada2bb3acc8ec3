"""A worker with our Celery settings, whose jobs note in a file what becomes of them.

A job's id says how it goes: ``end`` at once, ``wait`` until a file of the job's name is there, ``die`` the first time
as if killed for memory, ``tire`` never, until it is told that its time is over.
"""

import os
import signal
import sys
import time
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded

from eigenwarp.log import configure_logging
from eigenwarp.queue import TASK_NAME, WORKER_OPTIONS, make_celery
from eigenwarp.settings import load_settings


def note(folder: Path, job_id: str, what: str) -> None:
    with (folder / "notes").open("a") as file:
        file.write(f"{job_id} {what} {os.getpid()}\n")


def run(folder: Path, job_id: str) -> None:
    again = (folder / "notes").exists() and f"{job_id} begun" in (folder / "notes").read_text()
    note(folder, job_id, "begun")
    kind, _, _ = job_id.partition("-")
    if kind == "die" and not again:
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        while (kind == "wait" and not (folder / job_id).exists()) or kind == "tire":
            time.sleep(0.01)
    except SoftTimeLimitExceeded:
        note(folder, job_id, "tired")
        return
    note(folder, job_id, "ended")


def main() -> None:
    folder = Path(sys.argv[1])
    settings = load_settings()
    # Before Celery does so: what it warns of until then would not be JSON.
    configure_logging(settings)
    app = make_celery(settings)

    @app.task(name=TASK_NAME)
    def run_job(job_id: str) -> None:
        run(folder, job_id)

    app.worker_main(["--quiet", "worker", *WORKER_OPTIONS, "--loglevel=INFO"])


if __name__ == "__main__":
    main()
