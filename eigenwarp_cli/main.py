"""The ``eigenwarp`` command. Results go to standard output, progress and errors to standard error."""

from typing import Annotated

import typer

from eigenwarp_cli import (
    audit,
    bridge,
    change,
    components,
    data,
    demo,
    enlarge,
    experiment,
    keys,
    migrate,
    models,
    project,
    register,
    segment,
    serve,
    train,
    trained,
    worker,
)
from eigenwarp_cli.application import new_application
from eigenwarp_cli.remote import KeyFileOption, UrlOption, remember
from eigenwarp_cli.up import command as up_command

app = new_application("Registers 3-D medical volumes with a network whose latent space can be read.")
app.command("register")(register.register)
app.command("project")(project.project)
app.command("change")(change.change)
app.command("segment")(segment.segment)
app.command("components")(components.components)
app.command("component")(components.component)
app.add_typer(models.app, name="models")
app.command("up")(up_command.up)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("demo")(demo.demo)
app.command("migrate")(migrate.migrate)
app.command("train")(train.train)
app.command("basis")(trained.basis)
app.command("evaluate")(trained.evaluate)
app.command("export")(trained.export)
app.add_typer(experiment.app, name="experiment")
app.command("synthesize")(data.synthesize)
app.command("enlarge")(enlarge.enlarge)
app.command("leave-one-out")(enlarge.leave_one_out)
app.command("examples")(data.examples)
app.add_typer(data.app, name="data")
app.add_typer(keys.app, name="keys")
app.command("audit")(audit.audit)
app.add_typer(bridge.app, name="bridge")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"eigenwarp {version('eigenwarp')}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    url: UrlOption = None,
    key_file: KeyFileOption = None,
) -> None:
    """Registers 3-D medical volumes with a network whose latent space can be read."""
    remember(ctx, url, key_file)
