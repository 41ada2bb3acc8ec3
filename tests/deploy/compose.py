"""Compose files as Compose reads them: YAML with its two tags, one file over another."""

from pathlib import Path
from typing import Any

import yaml

from tests.deploy.project import ROOT

BASE, CPU = ROOT / "docker-compose.yml", ROOT / "docker-compose.cpu.yml"
MODELS = {"gpu": (BASE,), "cpu": (BASE, CPU)}
"""The files of each application model, the later over the earlier."""

# Replaced as a whole by a later file, where other lists are appended to.
_REPLACED = {"command", "entrypoint", "test"}


class _Reset:
    """``!reset``: the value of the file below goes."""


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!reset", lambda loader, node: _Reset())


def load(path: Path) -> dict[str, Any]:
    """A file as it is written, resets included."""
    return yaml.load(path.read_text(), _Loader)


def merged(*paths: Path) -> dict[str, Any]:
    """The application model of ``docker compose -f … -f …``, without the extensions."""
    model: dict[str, Any] = {}
    for path in paths:
        model = _merge(model, load(path))
    return {key: value for key, value in model.items() if not key.startswith("x-")}


def without_resets(value: Any) -> Any:
    """For a file alone: what it removes from another is not there."""
    if isinstance(value, dict):
        return {key: without_resets(item) for key, item in value.items() if not isinstance(item, _Reset)}
    return [without_resets(item) for item in value] if isinstance(value, list) else value


def devices(service: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that a service reserves."""
    found: list[dict[str, Any]] = (
        service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices") or []
    )
    return found


def _merge(below: Any, above: Any, key: str = "") -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        both = {name: _merge(below[name], above[name], name) for name in below if name in above}
        return without_resets({**below, **above, **both})
    if isinstance(below, list) and isinstance(above, list) and key not in _REPLACED:
        return [*below, *(item for item in above if item not in below)]
    return above
