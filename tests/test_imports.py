"""The web side starts without torch: what it imports is looked at in a fresh process."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

IMPORT_AND_LIST = """
import importlib, pkgutil, sys
for root in sys.argv[1:]:
    package = importlib.import_module(root)
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), root + "."):
        importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(*packages: str) -> set[str]:
    """The top-level modules that a process holds after importing packages with everything in them."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_LIST, *packages], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def below_the_model() -> list[str]:
    children = sorted(
        path for path in (ROOT / "eigenwarp").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    )
    return [f"eigenwarp.{path.stem}" for path in children if path.stem not in ("__init__", "model")]


def test_the_web_side_loads_no_torch() -> None:
    parts = below_the_model()
    assert {"eigenwarp.volume", "eigenwarp.field", "eigenwarp.files", "eigenwarp.preprocess"} <= set(parts)
    loaded = loaded_by("service", "bridge", *parts)
    assert "numpy" in loaded
    assert not loaded & {"torch", "sklearn", "matplotlib", "tensorboard"}


@pytest.mark.parametrize("package", ["service", "bridge"])
def test_a_web_package_alone_reaches_no_model(package: str) -> None:
    assert not loaded_by(package) & {"torch", "training", "worker"}


def test_the_model_is_what_loads_torch() -> None:
    assert "torch" in loaded_by("eigenwarp.model")
