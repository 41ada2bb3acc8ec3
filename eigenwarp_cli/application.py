"""How every command ends: 0, 2 with a line for a user's mistake, 130 when interrupted, a traceback for our defects."""

from typing import Any

import typer
from typer.core import TyperGroup

from eigenwarp.errors import EigenwarpError

USER_ERROR, INTERRUPTED = 2, 130


class ReportingGroup(TyperGroup):
    """Turns our own errors into one line on standard error."""

    # Any: the context's class is Typer's own or Click's, depending on Typer's version.
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EigenwarpError as error:
            typer.echo(f"eigenwarp: error: {error.detail}", err=True)
            raise typer.Exit(USER_ERROR) from None
        except KeyboardInterrupt:
            typer.echo("eigenwarp: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get((error.name or "").partition(".")[0])
            if extra is None:
                raise
            typer.echo(f"eigenwarp: error: this command needs {error.name}: pip install 'eigenwarp[{extra}]'", err=True)
            raise typer.Exit(USER_ERROR) from None


# Third-party packages that only some installations have, and the extra that brings them.
_EXTRAS = {
    "argon2": "service",
    "fastapi": "service",
    "sqlalchemy": "stores",
    "torch": "worker",
    "safetensors": "worker",
    "matplotlib": "worker",
    "jinja2": "training",
    "sklearn": "training",
    "tensorboard": "training",
}


def new_application(help_text: str, *, root: bool = True) -> typer.Typer:
    """A group of commands; the root reports errors for all groups under it."""
    return typer.Typer(
        help=help_text,
        cls=ReportingGroup if root else None,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
