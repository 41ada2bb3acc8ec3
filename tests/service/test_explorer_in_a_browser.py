"""The explorer as a real browser shows it, with a real worker behind it. Skipped where there is no Chromium."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eigenwarp.settings import Settings
from service.keys import create_key
from tests.service.web_server import WebServer, running_web
from tests.service.working import publish, working
from tests.tiny_bundle import COMPONENTS
from tests.tiny_bundle import tiny_bundle as tiny_bundle

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")
# Chromium's own time, which stands still while it waits for an answer.
_PAGE_MILLISECONDS = 15_000


@pytest.fixture
def served(settings: Settings, tiny_bundle: Path) -> Iterator[WebServer]:
    chosen = settings.model_copy(update={"default_model": "tiny", "device": "cpu"})
    with running_web(chosen) as web:
        publish(web.resources.objects, tiny_bundle)
        with working(chosen):
            yield web


def shown(url: str, profile: Path) -> tuple[str, list[str]]:
    """The page's elements after its scripts have run, and what the browser complained of."""
    assert BROWSER is not None
    answer = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
            f"--virtual-time-budget={_PAGE_MILLISECONDS}",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return answer.stdout, [line for line in answer.stderr.splitlines() if "CONSOLE" in line]


def test_the_basis_its_picture_and_the_jobs_are_shown(served: WebServer, tmp_path: Path) -> None:
    page, complaints = shown(f"{served.url}/", tmp_path / "profile")
    assert complaints == []
    assert len(re.findall(r"<tr[^>]* data-component=", page)) == COMPONENTS
    assert '<option value="tiny"' in page
    picture = re.search(r'<button type="button" id="enlarge"([^>]*)><img id="figure"([^>]*)>', page)
    assert picture is not None
    assert "hidden" not in picture[1]
    assert 'src="blob:' in picture[2]
    assert "component 1 at +2.0 standard deviations" in picture[2]
    assert re.search(r'<p id="notice"[^>]* hidden', page)
    assert "None yet." in page


def test_who_needs_a_key_is_told_so(served: WebServer, tmp_path: Path) -> None:
    create_key(served.resources.database, "tests", ["read"])
    page, _ = shown(f"{served.url}/", tmp_path / "profile")
    notice = re.search(r'<p id="notice"([^>]*)>([^<]*)', page)
    assert notice is not None
    assert "hidden" not in notice[1]
    assert "API key" in notice[2]


def test_the_description_is_shown(served: WebServer, tmp_path: Path) -> None:
    page, complaints = shown(f"{served.url}/docs", tmp_path / "profile")
    assert complaints == []
    assert "/components/{k}" in page.replace("\u200b", "").replace("<wbr>", "")
