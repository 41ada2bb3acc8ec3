"""``eigenwarp up``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.output import make_folder, print_text, progress_console

if TYPE_CHECKING:
    from eigenwarp.queue import JobQueue
    from eigenwarp.settings import Settings
    from eigenwarp_cli.up.parts import Parts
    from eigenwarp_cli.up.redis_server import RedisConfiguration
    from eigenwarp_cli.up.supervisor import Supervisor

_REDIS_S, _READY_S, _PUBLISH_S = 30.0, 180.0, 1800.0


def up(
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Data folder; EIGENWARP_HOME or ~/.local/share/eigenwarp/service."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Of the web server; 0 for a free one; EIGENWARP_PORT or 8000.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that compute.")] = 1,
    publish: Annotated[
        bool, typer.Option(help="Publish the models of this machine that are not published yet.")
    ] = True,
) -> None:
    """Run the whole service on this machine: web server, workers and Redis, with one data folder.

    What ends is started again. Ctrl-C or SIGTERM stops everything; jobs that have not ended go on at the next start.
    Prints 'ready: URL' once jobs are taken; each process writes its log to DIR/logs.
    """
    from eigenwarp.settings import load_settings
    from eigenwarp_cli.up.home_lock import locked_home
    from eigenwarp_cli.up.parts import Parts
    from eigenwarp_cli.up.ports import take_port, url_of
    from eigenwarp_cli.up.redis_server import RedisConfiguration
    from eigenwarp_cli.up.running import READY
    from eigenwarp_cli.up.supervisor import StopAsked, Supervisor

    given = {name: value for name, value in (("home", home), ("port", port)) if value is not None}
    asked = load_settings(None, **given)
    folder = asked.home.resolve()
    with locked_home(folder) as lock:
        redis = RedisConfiguration(folder / "redis", take_port("127.0.0.1", 0))
        settings = load_settings(
            None, **{**given, "home": folder, "port": take_port(asked.host, asked.port), "redis_url": redis.url}
        )
        parts = Parts(settings, make_folder(folder / "logs"), lock)
        supervisor = Supervisor(_say)
        with supervisor.listening():
            try:
                _start(supervisor, parts, settings, redis, workers, publish=publish)
                print_text(f"{READY}{url_of(settings.host, settings.port)}")
                _say(f"data in {folder}, logs in {folder / 'logs'}; Ctrl-C stops")
                supervisor.watch()
            except StopAsked:
                pass
            finally:
                _say("stopping")
                supervisor.stop()
        _say("stopped")


def _start(
    supervisor: "Supervisor",
    parts: "Parts",
    settings: "Settings",
    redis: "RedisConfiguration",
    workers: int,
    *,
    publish: bool,
) -> None:
    """Everything, in the order in which one needs the other; returns when jobs are taken.

    Raises:
        ServiceStartError: a part does not come up.
        StopAsked: meanwhile.
    """
    supervisor.start([parts.redis(redis)])
    # These take half a second, in which Redis starts.
    from eigenwarp.client import Client
    from eigenwarp.queue import JobQueue
    from eigenwarp.stores.database import open_database
    from eigenwarp_cli.up.ports import url_of
    from eigenwarp_cli.up.publishing import unpublished_bundles

    database = open_database(settings.database)
    try:
        database.migrate()
    finally:
        database.close()
    queue = JobQueue(settings)
    try:
        supervisor.wait_for(lambda: _answers(queue), "Redis answers", _REDIS_S)
        missing = unpublished_bundles(settings) if publish else []
        if missing:
            # Before the workers, which load the default model when they start.
            _say(f"publishing {', '.join(bundle.name for bundle in missing)}")
            supervisor.run(parts.publishing(missing), "the models are published", _PUBLISH_S)
        supervisor.start(parts.workers(workers))
        supervisor.start([parts.web()])
        with Client(url_of(settings.host, settings.port), timeout=5.0, patience=0.0) as client:
            supervisor.wait_for(client.is_ready, "the web server is ready", _READY_S)
        supervisor.wait_for(lambda: _consumers(queue) >= workers, "the workers take jobs", _READY_S)
    finally:
        queue.close()


def _answers(queue: "JobQueue") -> bool:
    from eigenwarp.errors import StoreUnavailableError

    try:
        queue.check()
    except StoreUnavailableError:
        return False
    return True


def _consumers(queue: "JobQueue") -> int:
    return queue.consumers() if _answers(queue) else 0


def _say(text: str) -> None:
    progress_console().print(text, highlight=False, markup=False, soft_wrap=True)
