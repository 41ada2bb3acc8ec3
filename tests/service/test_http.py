"""What surrounds every call: ids, headers, bounds, problems, the log, and the process itself."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from eigenwarp.log import configure_logging
from eigenwarp.settings import Settings
from service.resources import Resources
from tests.servers.ports import free_port
from tests.servers.processes import Running
from tests.service.files import image
from tests.service.problems import require_problem
from tests.service.web_server import WebServer, running_web


def test_a_sane_request_id_is_kept_and_any_other_replaced(web: WebServer) -> None:
    with web.client() as client:
        assert client.get("/jobs", headers={"X-Request-Id": "a-1.b_2"}).headers["X-Request-Id"] == "a-1.b_2"
        for given in ("", "a b", "x" * 65, "a/b", '"', "-a"):
            found = client.get("/jobs", headers={"X-Request-Id": given}).headers["X-Request-Id"]
            assert re.fullmatch("req_[0-9a-f]{32}", found), given
        missing = client.get("/nowhere", headers={"X-Request-Id": "mine"})
    require_problem(missing, 404, "not-found")
    assert missing.json()["instance"] == "mine"


def test_a_method_that_is_not_offered_is_told_which_are(web: WebServer) -> None:
    volume = f"/volumes/sha256:{64 * '0'}"
    with web.client() as client:
        for path, allowed in (
            (volume, "DELETE, GET"),
            (f"{volume}/content", "GET, HEAD"),
            ("/register", "POST"),
            ("/volumes/uploads", "POST"),
        ):
            answer = client.patch(path)
            require_problem(answer, 405, "method-not-allowed")
            assert answer.headers["Allow"] == allowed


def test_answers_are_not_for_other_sites_or_shared_caches(web: WebServer) -> None:
    with web.client() as client:
        for answer in (client.get("/jobs"), client.get("/nowhere")):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_large_upload_that_is_refused_at_once_is_answered_and_the_connection_stays(web: WebServer) -> None:
    with web.client() as client:
        content = bytes(8 << 20)
        answer = client.post("/project", content=content, headers={"Content-Type": "application/json"})
        require_problem(answer, 413, "request-too-large")
        answer = client.post("/volumes", content=content, headers={"Content-Type": "image/png"})
        require_problem(answer, 415, "media-type-unsupported")
        answer = client.post("/nowhere", content=content)
        require_problem(answer, 404, "not-found")


def test_only_pages_of_the_sites_that_are_named_may_call(settings: Settings) -> None:
    named = settings.model_copy(update={"cors_origins": ("https://viewer.example",)})
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key, prefer"}
    with running_web(named) as server, server.client() as client:
        allowed = client.options("/register", headers={"Origin": "https://viewer.example", **asked})
        assert allowed.status_code == 200
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://viewer.example"
        assert "Access-Control-Allow-Credentials" not in allowed.headers
        refused = client.options("/register", headers={"Origin": "https://other.example", **asked})
        assert "Access-Control-Allow-Origin" not in refused.headers
        told = client.get("/jobs", headers={"Origin": "https://viewer.example"})
        assert "ETag" in told.headers["Access-Control-Expose-Headers"]


def test_no_other_page_may_call_where_none_is_named(web: WebServer) -> None:
    with web.client(headers={"Origin": "https://viewer.example"}) as client:
        assert "Access-Control-Allow-Origin" not in client.get("/jobs").headers
        assert client.options("/jobs", headers={"Access-Control-Request-Method": "GET"}).status_code == 405


@pytest.fixture
def logged(settings: Settings) -> Iterator[io.StringIO]:
    """What the process logs, at its most talkative."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging(settings.model_copy(update={"log_level": "DEBUG"}))
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def test_the_log_tells_of_each_request_and_of_no_patient(logged: io.StringIO, web: WebServer) -> None:
    with web.client() as client:
        files = {"file": ("Doe^Jane.nii.gz", image())}
        made = client.post("/volumes?note=Doe", files=files, data={"subject": "Jane-1970"}).json()
        client.get(f"/volumes/{made['id']}", headers={"X-Request-Id": "asked-once"})
        client.get("/subjects/Jane-1970/coefficients")
        client.get("/jobs?subject=Jane-1970")
        client.post("/project", json={"volume": "Doe^Jane"})
    assert "Doe" not in logged.getvalue()
    assert "Jane" not in logged.getvalue()
    assert "1970" not in re.sub(r'"at": "[^"]*"', "", logged.getvalue())
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    (read,) = [line for line in lines if line.get("request_id") == "asked-once" and line["event"] == "request"]
    assert (read["method"], read["route"], read["status"], read["caller"]) == (
        "GET", "/volumes/{volume_id}", 200, "local",
    )  # fmt: skip
    assert read["ms"] > 0


def test_a_defect_is_answered_without_its_inside_and_logged_without_its_text(
    logged: io.StringIO, web: WebServer
) -> None:
    class Broken:
        def page(self, **_: object) -> None:
            raise RuntimeError("Doe^Jane")

    resources: Resources = web.resources
    resources.database.jobs = Broken()  # type: ignore[assignment]
    with web.client() as client:
        answer = client.get("/jobs")
    require_problem(answer, 500, "internal")
    assert "Doe" not in answer.text
    assert "Doe" not in logged.getvalue()
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines() if '"defect"' in line]
    assert (line["error"], line["request_id"]) == ("RuntimeError", answer.headers["X-Request-Id"])
    assert "test_http.py" in line["trace"][-1]


def test_the_server_starts_and_answers_without_torch(settings: Settings) -> None:
    program = (
        "import asyncio, sys\n"
        "from eigenwarp.settings import load_settings\n"
        "from service.app import create_app\n"
        "app = create_app(load_settings())\n"
        "async def main():\n"
        "    async with app.router.lifespan_context(app):\n"
        "        app.openapi()\n"
        "asyncio.run(main())\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    environment = {
        "EIGENWARP_HOME": str(settings.home),
        "EIGENWARP_REDIS_URL": settings.redis_url.get_secret_value(),
        "PATH": "/usr/bin:/bin",
    }
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.split())
    assert {"fastapi", "celery", "sqlalchemy", "nibabel"} <= loaded
    assert not loaded & {"torch", "sklearn", "matplotlib", "worker", "training", "safetensors"}


def test_the_command_serves_and_stops_when_told(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "EIGENWARP_HOME": str(settings.home),
        "EIGENWARP_REDIS_URL": settings.redis_url.get_secret_value(),
        "EIGENWARP_PORT": str(port),
    }
    command = [sys.executable, "-m", "eigenwarp_cli", "serve"]
    process = Running(command, tmp_path / "web.log", environment)
    try:

        def answers() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        process.wait_until(answers, "the server answers")
        process.process.terminate()
        assert process.wait() in (0, -15)
    finally:
        process.stop()
    lines = [json.loads(line) for line in process.output().splitlines()]
    assert any(line["event"].startswith("Uvicorn running on") for line in lines)


def test_the_command_listens_to_nobody_else_without_a_key(settings: Settings, tmp_path: Path) -> None:
    environment = {"EIGENWARP_HOME": str(settings.home)}
    process = Running(
        [sys.executable, "-m", "eigenwarp_cli", "serve", "--host", "0.0.0.0"], tmp_path / "log", environment
    )
    try:
        assert process.wait() == 2
    finally:
        process.stop()
    assert process.output().startswith("eigenwarp: error: EIGENWARP_HOST is 0.0.0.0")
