"""Where bundles are found by name."""

import os
from pathlib import Path

from eigenwarp.errors import BundleInvalidError, ModelUnknownError
from eigenwarp.model.bundle import MANIFEST, read_manifest
from eigenwarp.schemas.manifest import Manifest
from eigenwarp.settings import model_folders

DEFAULT_MODEL = "hippocampus"


def list_bundles() -> dict[str, tuple[Path, Manifest]]:
    """Every readable bundle by name; of two with one name the first found."""
    found: dict[str, tuple[Path, Manifest]] = {}
    for folder in model_folders():
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if not _is_bundle(path):
                continue
            try:
                manifest = read_manifest(path)
            except BundleInvalidError:
                continue
            found.setdefault(manifest.name, (path, manifest))
    return found


def find_bundle(name: str) -> Path:
    """The folder of a bundle, given by its path or by its name.

    Raises:
        ModelUnknownError: neither; the names that are known are listed.
    """
    if _is_bundle(Path(name)):
        return Path(name)
    for folder in model_folders():
        if _is_bundle(folder / name):
            return folder / name
    bundles = list_bundles()
    if name in bundles:
        return bundles[name][0]
    known = ", ".join(bundles) or "none"
    raise ModelUnknownError(f"no model {name!r}; found are: {known}")


def _is_bundle(folder: Path) -> bool:
    # Path.is_file raises for a name that is too long; this one says no.
    return os.path.isfile(folder / MANIFEST)
