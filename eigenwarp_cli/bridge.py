"""``eigenwarp bridge``: the PACS bridge, and what it has in hand."""

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.application import new_application
from eigenwarp_cli.bridge_tables import print_check, print_job, print_plan, print_status
from eigenwarp_cli.output import print_text, progress_console

if TYPE_CHECKING:
    from bridge.config import BridgeConfig
    from bridge.state import State
    from bridge.state.jobs import JobRecord

app = new_application("The PACS bridge: series in, objects back to the archive.", root=False)
app.info.no_args_is_help = False
app.info.invoke_without_command = True

ConfigOption = Annotated[
    Path, typer.Option("--config", help="The bridge's TOML file.", envvar="EIGENWARP_BRIDGE_CONFIG", metavar="FILE")
]
SameConfigOption = Annotated[Path | None, typer.Option("--config", help="As before the command.", metavar="FILE")]
_DEFAULT = Path("bridge.toml")


@app.callback()
def run(context: typer.Context, config: ConfigOption = _DEFAULT) -> None:
    """Run the bridge until SIGTERM or Ctrl-C; the commands below look at one that runs, and at what it left."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    from bridge.app import run_bridge
    from bridge.config import read_config

    values = read_config(config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_bridge(values, stop, lambda port, health: None)


@app.command("check")
def check(
    context: typer.Context,
    connect: Annotated[bool, typer.Option("--connect", help="Also ask the service and the archive.")] = False,
    config: SameConfigOption = None,
) -> None:
    """Read the configuration and say what the bridge would do with it."""
    values = _config(context, config)
    print_check(values)
    if connect:
        from bridge.app import open_client
        from bridge.archive import open_archive
        from bridge.archive.retrievals import Retrievals

        with open_client(values.service) as client:
            models = {row.name for row in client.models()}
            print_text(f"the service answers; it has {', '.join(sorted(models)) or 'no model'}")
        archive = open_archive(values, Retrievals())
        archive.check()
        archive.close()
        print_text("the archive answers")


@app.command("plan")
def plan(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER...", help="DICOM files; what the bridge holds already, without."),
    ] = None,
    config: SameConfigOption = None,
) -> None:
    """Say what would be done with each series, and why nothing with the others. Nothing is sent."""
    from bridge.planning import plan_files, plan_state

    values = _config(context, config)
    if folders:
        print_plan(plan_files(values, folders))
        return
    from bridge.state import open_state

    with open_state(values) as state:
        print_plan(plan_state(values, state))


@app.command("status")
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON in place of tables.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also jobs that are over.")] = False,
    config: SameConfigOption = None,
) -> None:
    """Series that arrive, jobs on their way, and dead letters with their reasons."""
    from bridge.state import open_state

    with open_state(_config(context, config)) as state:
        print_status(state, as_json=as_json, everything=everything)


@app.command("show")
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its beginning will do.")],
    config: SameConfigOption = None,
) -> None:
    """One job with its series, its objects and the outcome of each. Shows UIDs, which are the hospital's."""
    from bridge.state import open_state

    with open_state(_config(context, config)) as state:
        print_job(state, _job(state, key))


@app.command("retry")
def retry(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="Its beginning will do.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    config: SameConfigOption = None,
) -> None:
    """Let a dead letter go on where it failed; a skipped job is looked at again under the rules as they are now."""
    from bridge.state import open_state
    from bridge.state.job_states import JobState
    from eigenwarp.errors import OptionInvalidError

    if (key is None) == (not everything):
        raise OptionInvalidError("either KEY or --all")
    with open_state(_config(context, config)) as state:
        jobs = state.jobs.all(JobState.FAILED) if key is None else [_job(state, key)]
        for job in jobs:
            if not state.jobs.retry(job):
                raise OptionInvalidError(f"job {job.key} is {job.state}: only failed and skipped jobs are tried again")
            progress_console().print(f"{job.key} goes on", markup=False, highlight=False)


@app.command("complete")
def complete(
    context: typer.Context,
    uid: Annotated[str, typer.Argument(metavar="SERIES_INSTANCE_UID")],
    config: SameConfigOption = None,
) -> None:
    """Take a series to be whole now, whatever is still awaited."""
    from bridge.state import open_state
    from eigenwarp.errors import OptionInvalidError

    with open_state(_config(context, config)) as state:
        if not state.series.ask(state.pseudonyms.of("series", uid)):
            raise OptionInvalidError(f"no instance of series {uid} has come")
    progress_console().print("the series is taken to be whole", markup=False, highlight=False)


def _config(context: typer.Context, config: Path | None) -> "BridgeConfig":
    from bridge.config import read_config

    return read_config(config or context.obj)


def _job(state: "State", key: str) -> "JobRecord":
    from bridge.refusals import JobUnknownHereError

    job = state.jobs.get(key)
    if job is None:
        raise JobUnknownHereError(f"no job, or several, whose key begins with {key!r}: see `eigenwarp bridge status`")
    return job
