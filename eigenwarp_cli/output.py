"""Writing results: documents to standard output or files, tables for people."""

from pathlib import Path

import typer
from rich.console import Console

from eigenwarp.errors import FileUnreadableError, OptionInvalidError


def results() -> Console:
    """Standard output. Wide where it is no terminal, so that a pipe gets whole lines."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def progress_console() -> Console:
    """Standard error, for bars and remarks."""
    return Console(stderr=True)


def print_text(text: str) -> None:
    """A result to standard output."""
    typer.echo(text)


def make_folder(folder: Path) -> Path:
    """A folder to write into, made where it is missing.

    Raises:
        FileUnreadableError: it cannot be made; its path is named.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnreadableError(f"{folder}: cannot be made: {error.strerror or type(error).__name__}") from None
    return folder


def write_text(path: Path, text: str) -> None:
    """A document to a file, in UTF-8.

    Raises:
        FileUnreadableError: it cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Content to a file.

    Raises:
        FileUnreadableError: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FileUnreadableError(f"{path}: cannot be written: {error.strerror or type(error).__name__}") from None


def require_nifti_name(path: Path) -> None:
    """Refuse, before anything is computed, an output that cannot be written as NIfTI.

    Raises:
        OptionInvalidError: another ending than .nii or .nii.gz.
    """
    if not path.name.endswith((".nii", ".nii.gz")):
        raise OptionInvalidError(f"{path}: the output's name must end in .nii or .nii.gz")
