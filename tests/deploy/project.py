"""The checkout, and what its deployment files may name."""

import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from typer.main import get_command

from eigenwarp.settings import PREFIX, Settings
from eigenwarp_cli.main import app

ROOT = Path(__file__).parents[2]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

# Read outside the settings, by what finds bundles on the command line, too.
_OTHER_SETTINGS = {"EIGENWARP_MODELS"}


def setting_names() -> set[str]:
    """Every variable that a process of ours reads."""
    names = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return names | {f"{name}_FILE" for name in names} | _OTHER_SETTINGS


def assert_is_a_command(arguments: Sequence[str]) -> None:
    """The command line parses it to the end: the command is there, with these options and arguments."""
    command, context = get_command(app), None
    name, rest = "eigenwarp", list(arguments)
    while True:
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return
        # click before 8.2 and after keep what is left under different names.
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not rest and getattr(command, "invoke_without_command", False):
            return
        found, command, rest = command.resolve_command(context, rest)
        assert found is not None
        name = found


def made_secrets(folder: Path) -> dict[str, str]:
    """What ``deploy/make-secrets`` writes, by file name."""
    subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}
