"""docs/operations.md tells what is: every setting, every command, every metric."""

import re
import shlex

import pytest

from service.metrics import Metrics
from tests.deploy.compose import BASE
from tests.deploy.project import ROOT, VERSION, assert_is_a_command, setting_names
from tests.deploy.settings_table import PAGE, settings_table, table_in

# Ours, but no settings of a deployment: one switches a test on, others belong to the command line's own client side.
_ELSEWHERE = {"EIGENWARP_WORKER_IMAGE"}


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


def test_every_setting_is_in_the_table_with_its_default() -> None:
    assert table_in(PAGE) == settings_table(), "python -m tests.deploy.settings_table writes it anew"


def test_no_other_setting_is_named(page: str) -> None:
    named = set(re.findall(r"EIGENWARP_[A-Z0-9_]+\b", page)) - {"EIGENWARP_"}
    assert named <= setting_names() | _ELSEWHERE


def test_every_command_exists(page: str) -> None:
    commands = [*_commands(page), *_commands(BASE.read_text().replace("\n#   ", "\n"))]
    assert len(commands) >= 15
    for command in commands:
        assert_is_a_command(command)


def test_every_metric_exists_and_none_is_left_out(page: str) -> None:
    families = {family.name for family in Metrics().registry.collect()}
    named = set(re.findall(r"`(eigenwarp_[a-z_]+)", page))
    assert {name.removesuffix("_total") for name in named} == families


def test_every_file_that_is_named_exists(page: str) -> None:
    for name in re.findall(r"`((?:deploy|docs|models|base|overlays|requirements|Dockerfile)[\w./-]*)`", page):
        roots = (ROOT, ROOT / "deploy" / "kubernetes")
        assert any((root / name).exists() for root in roots), name
    for link in re.findall(r"\]\((\w[\w.-]*\.md)\)", page):
        assert (PAGE.parent / link).exists(), link


def test_the_images_tags_are_the_projects_version(page: str) -> None:
    tags = set(re.findall(r"eigenwarp-(?:web|worker):(\d[\d.]*\d)", page))
    assert tags == {VERSION}


def _commands(text: str) -> list[list[str]]:
    """The arguments of each ``eigenwarp …``: in shell examples, running text, and runs of Compose and Docker."""
    joined = re.sub(r"\\\n\s*", " ", text)
    shown = [line.strip() for block in re.findall(r"```sh\n(.*?)```", joined, re.DOTALL) for line in block.splitlines()]
    shown += re.findall(r"`(eigenwarp [^`]+)`", joined)
    shown += [line for line in joined.splitlines() if line.startswith("docker compose run")]
    found = []
    for line in shown:
        match = re.search(r"(?:^|-- +)eigenwarp (.+)|docker compose run --rm web (.+)|eigenwarp-worker:\S+ (.+)", line)
        if match and "docker build" not in line:
            found.append(shlex.split(next(group for group in match.groups() if group), comments=True))
    return found
