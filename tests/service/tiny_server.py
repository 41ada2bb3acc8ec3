"""A server with the tiny model; import the fixtures into a module of tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from eigenwarp.settings import Settings
from tests.service.web_server import WebServer, running_web
from tests.service.working import publish, working
from tests.tiny_bundle import tiny_bundle as tiny_bundle


@pytest.fixture
def tiny(settings: Settings, tiny_bundle: Path) -> Iterator[WebServer]:
    """A server with the tiny model, and nobody to do the work."""
    with running_web(settings.model_copy(update={"default_model": "tiny"})) as server:
        publish(server.resources.objects, tiny_bundle)
        yield server


@pytest.fixture
def worker(settings: Settings, tiny: WebServer) -> Iterator[None]:
    """Somebody."""
    with working(settings):
        yield


def upload(client: httpx.Client, content: bytes, kind: str = "image") -> str:
    """A volume's id."""
    answer = client.post("/volumes", files={"file": ("x", content)}, data={"kind": kind})
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])
