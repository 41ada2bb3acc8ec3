"""The DICOM validators that work offline, asked about one object: dicom3tools' and dcmtk's."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def dciodvfy_errors(path: Path) -> list[str]:
    """What ``dciodvfy`` calls an error."""
    return [line for line in _said("dciodvfy", [path]) if line.startswith("Error")]


def dcentvfy_findings(paths: Sequence[Path]) -> list[str]:
    """What ``dcentvfy`` finds inconsistent between the instances of a study."""
    return _said("dcentvfy", paths)


def structured_report_text(path: Path) -> str:
    """A structured report as ``dsrdump`` prints it; anything that it stumbles over is in the text as well."""
    return "\n".join(_said("dsrdump", [path]))


def _said(program: str, paths: Sequence[Path]) -> list[str]:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on the PATH (Debian: dicom3tools, dcmtk)")
    finished = subprocess.run([program, *map(str, paths)], capture_output=True, check=False)
    return (finished.stdout + finished.stderr).decode(errors="replace").splitlines()
