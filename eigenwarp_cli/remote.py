"""``--url``: a service computes, and this machine sends and fetches. Importing this loads no HTTP client."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.errors import FileUnreadableError, OptionInvalidError
from eigenwarp_cli.output import progress_console

if TYPE_CHECKING:
    from eigenwarp.client import Client, ProgressCallback
    from eigenwarp.schemas.jobs import JobEvent
    from eigenwarp.schemas.volumes import VolumeKind, VolumeRow

URL_SETTING, KEY_SETTING = "EIGENWARP_URL", "EIGENWARP_KEY"
REMOTE_COMMANDS = frozenset({"register", "project", "components", "component"})

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        envvar=URL_SETTING,
        help="A service that computes, for register, project, components and component; this machine without.",
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help=f"Holds the service's API key; {KEY_SETTING} by default."),
]


@dataclass(frozen=True)
class Remote:
    """A service and where the key to it is."""

    url: str
    key_file: Path | None

    @contextmanager
    def client(self) -> "Iterator[Client]":
        """A client of a service that is there, closed in the end.

        Raises:
            FileUnreadableError: the key's file cannot be read.
            OptionInvalidError: the URL is none.
            ServiceUnreachableError: nobody answers.
        """
        from eigenwarp.client import Client

        with Client(self.url, self._key()) as client:
            client.require_answer()
            yield client

    def _key(self) -> str | None:
        if self.key_file is None:
            return os.environ.get(KEY_SETTING) or None
        try:
            return self.key_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnreadableError(f"{self.key_file}: {getattr(error, 'strerror', None) or 'no text'}") from None


def remember(ctx: typer.Context, url: str | None, key_file: Path | None) -> None:
    """Keep the root's options for the command that follows.

    Raises:
        OptionInvalidError: ``--url`` was typed before a command that always computes here.
    """
    if url is None:
        return
    if ctx.invoked_subcommand in REMOTE_COMMANDS:
        ctx.obj = Remote(url, key_file)
    elif _typed(ctx, "url"):
        known = ", ".join(sorted(REMOTE_COMMANDS))
        raise OptionInvalidError(f"--url goes with {known}, not with {ctx.invoked_subcommand}")


def remote_of(ctx: typer.Context) -> Remote | None:
    """The service that was asked for; None where this machine computes."""
    return ctx.find_object(Remote)


def model_asked_for(ctx: typer.Context, model: str) -> str | None:
    """The model that was typed; None leaves the choice to the service."""
    return model if _typed(ctx, "model") else None


def upload(client: "Client", path: Path, kind: "VolumeKind" = "image") -> "VolumeRow":
    """A file to the service; what is wrong with it is told with its path, as where this machine reads it."""
    from eigenwarp import errors

    about_the_file = (
        errors.VolumeNotNiftiError,
        errors.VolumeShapeError,
        errors.VolumeTooLargeError,
        errors.EmptyVolumeError,
        errors.GeometryInvalidError,
        errors.VoxelsNotFiniteError,
        errors.LabelsNotIntegerError,
    )
    try:
        return client.upload(path, kind)
    except about_the_file as error:
        raise type(error)(f"{path}: {error.detail}") from None


@contextmanager
def shown_progress(label: str) -> "Iterator[ProgressCallback]":
    """A bar on standard error, moved by a job's events."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), TimeElapsedColumn())
    with Progress(*columns, console=progress_console(), transient=True) as bar:
        task = bar.add_task(label, total=1.0, stage="sending")

        def show(event: "JobEvent") -> None:
            stage = event.progress.stage if event.progress is not None else event.state
            bar.update(task, completed=event.progress.fraction if event.progress is not None else 0.0, stage=stage)

        yield show


def _typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
