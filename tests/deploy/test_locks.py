"""The lock files that the images install: parts of the one that the tests run with, and all that the extras ask for."""

import json
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy.lock_lines import lock_lines
from tests.deploy.project import ROOT

EXTRAS = {
    "requirements-service.lock": {"service", "bridge"},
    "requirements-worker.lock": {"training", "service", "localize"},
}


def _pins(name: str) -> dict[str, str]:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert lines == sorted(lines, key=str.lower)
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(package): version for package, version in pairs}


def _required(extras: set[str]) -> list[Requirement]:
    """What pyproject.toml asks for, extras that name extras followed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [Requirement(text) for text in project["dependencies"]]
    waiting, seen = set(extras), set[str]()
    while waiting:
        seen.add(extra := waiting.pop())
        for requirement in map(Requirement, project["optional-dependencies"][extra]):
            if requirement.name == project["name"]:
                waiting |= requirement.extras - seen
            else:
                found.append(requirement)
    return found


@pytest.mark.parametrize("name", EXTRAS)
def test_an_image_holds_the_versions_that_the_tests_run_with(name: str) -> None:
    assert _pins(name).items() <= _pins("requirements.lock").items()


@pytest.mark.parametrize(("name", "extras"), EXTRAS.items())
def test_an_image_holds_all_that_its_extras_ask_for(name: str, extras: set[str]) -> None:
    pins = _pins(name)
    for requirement in _required(extras):
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in {name}: run 'make lock'"
        assert Version(version) in requirement.specifier, f"{name} has {version}: run 'make lock'"


def test_the_web_side_holds_no_torch() -> None:
    assert not _pins("requirements-service.lock").keys() & {"torch", "scikit-learn", "safetensors", "matplotlib"}
    assert "torch" in _pins("requirements-worker.lock")


def test_lock_lines_leave_out_the_project_and_what_is_of_one_build() -> None:
    report = {
        "install": [
            {"metadata": {"name": "torch", "version": "2.13.0+cpu"}, "download_info": {"url": "…"}},
            {"metadata": {"name": "eigenwarp", "version": "0.1.0"}, "download_info": {"url": "…", "dir_info": {}}},
            {"metadata": {"name": "nvidia-cublas", "version": "13.1.1.3"}, "download_info": {"url": "…"}},
            {"metadata": {"name": "Mako", "version": "1.4.3"}, "download_info": {"url": "…"}},
        ]
    }
    assert lock_lines(json.dumps(report)) == ["Mako==1.4.3", "torch==2.13.0"]
