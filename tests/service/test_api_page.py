"""``docs/api.md`` says what the service does: its calls, its problems, and its lines work."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from eigenwarp.schemas.problem_types import PROBLEM_TYPES
from eigenwarp.settings import Settings
from service.app import create_app
from tests.service.files import image, labels
from tests.service.tiny_server import tiny as tiny
from tests.service.tiny_server import upload
from tests.service.tiny_server import worker as worker
from tests.service.web_server import WebServer
from tests.tiny_bundle import tiny_bundle as tiny_bundle

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
LINES = [
    line.partition("   #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.replace("'{\n", "'{").replace(",\n ", ", ").splitlines()
    if line.startswith("curl")
]


def paths(settings: Settings) -> list[str]:
    """Of the interface, as expressions."""
    return [re.sub(r"\{[^}]+\}", "[^/?]+", path) for path in create_app(settings).openapi()["paths"]]


def test_every_path_on_the_page_is_served_and_every_path_that_is_served_is_on_the_page(settings: Settings) -> None:
    named = {found.partition("?")[0] for found in re.findall(r'\$U(/[^\s"\']+)', PAGE)}
    known = paths(settings)
    assert not [path for path in named if not any(re.fullmatch(one, path) for one in known)]
    own = {"/healthz", "/readyz", "/metrics", "/volumes/uploads/[^/?]+/content"}
    assert not [one for one in known if one not in own and not any(re.fullmatch(one, path) for path in named)]


def test_every_problem_that_an_answer_can_have_is_on_the_page_with_its_status(settings: Settings) -> None:
    rows = {code: int(status) for status, code in re.findall(r"^\| (\d{3}) \| `([a-z0-9-]+)` \|", PAGE, re.MULTILINE)}
    assert rows == {code: PROBLEM_TYPES[code].status for code in rows}
    answered = {
        code
        for path in create_app(settings).openapi()["paths"].values()
        for operation in path.values()
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
        for code in content.get("examples", {})
        if code in PROBLEM_TYPES
    }
    assert len(answered) > 20
    assert answered <= set(rows)


@pytest.mark.usefixtures("worker")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_line_of_the_page_works(tiny: WebServer, tmp_path: Path) -> None:
    """With ids and files put where the page has dots and names; what is erased comes last."""
    example = _Example(tiny)
    lines = sorted(LINES, key=lambda line: "-X DELETE" in line)
    assert len(lines) > 25
    for number, line in enumerate(lines):
        folder = tmp_path / f"line-{number}"
        folder.mkdir()
        for name, content in {"scan": image(3), "a": image(1), "b": image(2), "labels": labels(3)}.items():
            (folder / f"{name}.nii.gz").write_bytes(content)
        command = example.command(line)
        run = subprocess.run(
            ["bash", "-c", command.replace("curl ", "curl -s -S -w '\\n%{http_code}' --max-time 90 ", 1)],
            env={"U": tiny.url, "KEY": "", "URL": example.ticket["url"], "PATH": "/usr/local/bin:/usr/bin:/bin"},
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        status = run.stdout.rpartition("\n")[2]
        # Nobody can be sure to cancel a job that a worker may have ended by then.
        expected = {"200", "409"} if "/cancel" in command else {"200", "201", "202", "204"}
        assert status in expected, f"{command}\n{run.stdout[-600:]}\n{run.stderr}"


class _Example:
    """What the page's ids stand for."""

    def __init__(self, web: WebServer) -> None:
        with web.client() as client:
            self.images = [upload(client, image(seed)) for seed in (1, 2)]
            self.labels = [upload(client, labels(seed), "segmentation") for seed in (1, 2)]
            body = dict(zip(("moving", "fixed"), self.images, strict=True))
            job = client.post("/register", json=body, headers={"Prefer": "wait=60"}).json()
            assert job["state"] == "succeeded", job
            client.post("/project", json={"volume": self.images[0], "subject": "s-0042"}, headers={"Prefer": "wait=60"})
            self.ticket = client.post("/volumes/uploads", json={"bytes": len(image(3))}).json()
        self.job = str(job["id"])
        self.version = web.resources.models.resolve("tiny").version

    def command(self, line: str) -> str:
        found = line.replace("0123456789ab", self.version).replace("hippocampus", "tiny").replace("268435456", "2684")
        found = found.replace('"structure": "tiny"', '"structure": "hippocampus"')
        found = found.replace("job_…", self.job).replace("upl_…", str(self.ticket["upload"]))
        if found.count("sha256:…") == 4:
            ids = iter([*self.images, *self.labels])
            return re.sub("sha256:…", lambda _: next(ids), found)
        return found.replace("sha256:…", self.images[1])
