"""The pages: whole, from this server alone, and within the policy that they are sent with."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

import service
from eigenwarp.settings import Settings
from tests.service.web_server import WebServer, running_web

STATIC = Path(service.__file__).parent / "static"
_IMPORT = re.compile(r"""(?:from|import)\s+["']([^"']+)["']""")
_ELSEWHERE = re.compile(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", re.I)


class References(HTMLParser):
    """What a page names: its files, and what the policy would forbid."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[str] = []
        self.forbidden: list[str] = []
        self._inline = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img") and (source := given.get("src")):
            self.files.append(source)
        if tag == "link" and (target := given.get("href")):
            self.files.append(target)
        self.forbidden += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self._inline = tag == "style" or (tag == "script" and "src" not in given)

    def handle_data(self, data: str) -> None:
        if self._inline and data.strip():
            self.forbidden.append(data[:40])
        self._inline = False


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_every_file_that_a_page_names_is_there(web: WebServer, path: str) -> None:
    page = httpx.get(f"{web.url}{path}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    found = References()
    found.feed(page.text)
    assert len(found.files) >= 3
    wanted, seen = [urljoin(f"{web.url}{path}", file) for file in found.files], set[str]()
    while wanted:
        url = wanted.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = httpx.get(url)
        assert answer.status_code == 200, url
        if url.endswith(".js"):
            assert answer.headers["content-type"].startswith("text/javascript"), (
                "browsers refuse modules of another type"
            )
            if "swagger" not in url:
                wanted += [urljoin(url, module) for module in _IMPORT.findall(answer.text)]
    assert {name for name in seen if not name.startswith(web.url)} == set()


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_no_page_holds_what_its_policy_forbids(web: WebServer, path: str) -> None:
    page = httpx.get(f"{web.url}{path}")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    found = References()
    found.feed(page.text)
    assert found.forbidden == []


def test_nothing_of_ours_names_another_server() -> None:
    files = [path for path in STATIC.iterdir() if path.suffix in (".html", ".css", ".js")]
    assert len(files) >= 8
    for path in files:
        assert not _ELSEWHERE.search(path.read_text()), path.name


def test_text_is_never_taken_for_markup() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"):
            assert unsafe not in text, f"{unsafe} in {path.name}"


def test_downloads_may_come_from_the_public_object_store_and_from_nowhere_else(settings: Settings) -> None:
    configured = settings.model_copy(update={"s3_public_endpoint": "https://objects.example:9000/path"})
    with running_web(configured) as web:
        policy = httpx.get(f"{web.url}/").headers["content-security-policy"]
    assert "connect-src 'self' https://objects.example:9000;" in policy


@pytest.mark.parametrize("name", ["index.html", "nothing.js", "..%2Fapp.py", "%2e%2e%2fapp.py", ".%2e/app.py"])
def test_no_other_file_is_served(web: WebServer, name: str) -> None:
    answer = httpx.get(f"{web.url}/static/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_is_not_loaded_again_when_it_has_not_changed(web: WebServer) -> None:
    first = httpx.get(f"{web.url}/static/explorer.js")
    again = httpx.get(f"{web.url}/static/explorer.js", headers={"If-None-Match": first.headers["etag"]})
    assert "must-revalidate" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")


def test_the_description_that_docs_shows_is_there(web: WebServer) -> None:
    assert "openapi.json" in httpx.get(f"{web.url}/static/docs.js").text
    described = httpx.get(f"{web.url}/openapi.json").json()
    assert set(described["components"]["securitySchemes"]) == {"bearer", "key"}
