"""``eigenwarp worker``: takes jobs from the queue and computes."""

import socket
from typing import Annotated

import typer

from eigenwarp_cli.output import progress_console


def worker(
    name: Annotated[
        str | None, typer.Option(help="Of this worker among others on the same machine.", metavar="NAME")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Is the worker of that name consuming? Exits 1 if not.")
    ] = False,
) -> None:
    """Take jobs from the queue and compute, until SIGTERM or Ctrl-C; settings come from the environment.

    One process computes at a time: start one worker for each GPU. A job that runs when the worker is told to stop may
    end within EIGENWARP_SHUTDOWN_SECONDS, and is given back to the queue otherwise.
    """
    from eigenwarp.settings import load_settings

    settings = load_settings()
    hostname = f"{name or 'worker'}@{socket.gethostname()}"
    if check:
        from worker.liveness import is_alive, liveness_file

        if not is_alive(liveness_file(settings.cache_folder, hostname)):
            progress_console().print(f"{hostname} does not consume", highlight=False)
            raise typer.Exit(1)
        return
    from eigenwarp.queue import WORKER_OPTIONS
    from worker.app import make_app

    make_app(settings).worker_main(
        ["worker", *WORKER_OPTIONS, "--hostname", hostname, "--loglevel", settings.log_level]
    )
