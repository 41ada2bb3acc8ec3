"""Which code a stage runs: a hash of the module that holds it and of all of ours that it imports."""

import ast
import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

_OURS = ("eigenwarp", "training")


def source_version(run: Callable[..., object]) -> str:
    """Changes with the source of a function's module and of whatever that imports of ``eigenwarp`` and ``training``.

    Returns:
        Twelve hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, path in sorted(source_files(run).items()):
        digest.update(f"{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def source_files(run: Callable[..., object]) -> dict[str, Path]:
    """The files that ``source_version`` looks at, by module."""
    module = sys.modules[(run.func if isinstance(run, partial) else run).__module__]
    found = {module.__name__: Path(str(module.__file__))}
    waiting = list(found.values())
    while waiting:
        for name in _imported(waiting.pop()):
            path = _source(name)
            if path is not None and name not in found:
                found[name] = path
                waiting.append(path)
    return found


@cache
def _imported(path: Path) -> tuple[str, ...]:
    return tuple(_names(ast.parse(path.read_text())))


def _names(tree: ast.Module) -> Iterator[str]:
    """Modules that a source names in imports; ``from a import b`` may mean the module a.b as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _source(name: str) -> Path | None:
    """The file of one of our modules; None for others, and for a name that is no module."""
    if name.partition(".")[0] not in _OURS:
        return None
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None
