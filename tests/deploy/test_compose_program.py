"""Compose's own program reads our files as our tests do; not collected where there is no ``docker-compose``."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.deploy.compose import MODELS, devices, merged


@pytest.mark.parametrize("name", MODELS)
def test_compose_itself_merges_as_we_do(name: str, tmp_path: Path) -> None:
    command = ["docker-compose", "--project-directory", tmp_path]
    for path in MODELS[name]:
        command += ["--file", path]
    text = subprocess.run([*command, "config", "--format", "json"], check=True, capture_output=True, text=True).stdout
    theirs, ours = json.loads(text)["services"], merged(*MODELS[name])["services"]
    assert theirs.keys() == ours.keys()
    for service in ours:
        assert theirs[service]["image"] == ours[service]["image"]
        assert theirs[service].get("command") == ours[service].get("command")
        assert theirs[service].get("build", {}).get("args") == ours[service].get("build", {}).get("args")
        assert theirs[service].get("environment", {}) == ours[service].get("environment", {})
        assert devices(theirs[service]) == devices(ours[service])
