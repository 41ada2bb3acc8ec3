"""What a component looks like: computed once, for whoever asks, and kept for as long as its version lasts."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.service.problems import require_problem
from tests.service.tiny_server import tiny as tiny
from tests.service.tiny_server import worker as worker
from tests.service.web_server import WebServer
from tests.tiny_bundle import tiny_bundle as tiny_bundle


@pytest.fixture
def pinned(tiny: WebServer) -> str:
    """The tiny model's name with its version."""
    reference = tiny.resources.models.resolve("tiny")
    return f"{reference.name}@{reference.version}"


@pytest.mark.usefixtures("worker")
def test_a_deformation_is_made_once_and_is_the_same_for_every_spelling_of_its_scale(
    tiny: WebServer, pinned: str
) -> None:
    def get(scale: str) -> tuple[int, bytes, str]:
        with tiny.client() as client:
            answer = client.get(f"/components/1/deformation?scale={scale}&unit=sd&format=ras")
        return answer.status_code, answer.content, answer.headers["ETag"]

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(get, ["2", "2.0", "+2".replace("+", "%2B"), "2e0", "2.000", "0.2e1"]))
    assert len(answers) == 1
    ((status, content, etag),) = answers
    assert status == 200
    field = nib.Nifti1Image.from_bytes(gzip.decompress(content))
    assert field.shape[:3] == (16, 16, 16)
    assert float(np.abs(field.get_fdata()).max()) > 0.01
    with tiny.client() as client:
        assert len(client.get("/jobs", params={"kind": "deformation"}).json()["jobs"]) == 1
        path = f"/components/1/deformation?scale=2&format=ras&model={pinned}"
        kept = client.get(path)
        assert (kept.content, kept.headers["ETag"]) == (content, etag)
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "immutable" not in client.get("/components/1/deformation?format=ras").headers["Cache-Control"]
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
        part = client.get(path, headers={"Range": "bytes=-4", "If-Range": etag})
        assert (part.status_code, part.content) == (206, content[-4:])
        minus, zero = (client.get(f"/components/1/deformation?scale={scale}") for scale in ("-0.0", "0"))
        assert minus.headers["ETag"] == zero.headers["ETag"]


@pytest.mark.usefixtures("worker")
def test_each_format_unit_and_picture_is_another_content(tiny: WebServer) -> None:
    with tiny.client() as client:
        paths = [f"/components/2/deformation?format={form}" for form in ("itk", "ras", "niftyreg", "learn2reg")]
        paths += [
            "/components/2/deformation?unit=latent",
            "/components/2/figure.png",
            "/components/3/figure.png?scale=-1",
        ]
        answers = [client.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [200] * len(paths)
        assert len({answer.headers["ETag"] for answer in answers}) == len(paths)
        assert answers[-1].headers["Content-Type"] == "image/png"
        assert answers[-1].content.startswith(b"\x89PNG")


def test_without_a_worker_the_caller_is_told_to_come_again(tiny: WebServer) -> None:
    with tiny.client(headers={"Prefer": "wait=0"}) as client:
        for _ in range(2):
            answer = client.get("/components/1/figure.png")
            require_problem(answer, 503, "not-ready")
            assert int(answer.headers["Retry-After"]) >= 1
        (job,) = client.get("/jobs").json()["jobs"]
        # A job that came to nothing is followed by another.
        client.post(f"/jobs/{job['id']}/cancel")
        require_problem(client.get("/components/1/figure.png"), 503, "not-ready")
        assert [one["state"] for one in client.get("/jobs").json()["jobs"]] == ["queued", "cancelled"]


def test_what_there_is_not_is_refused(tiny: WebServer, tiny_bundle: Path) -> None:
    with tiny.client() as client:
        require_problem(client.get("/components/4/deformation"), 404, "component-out-of-range")
        require_problem(client.get("/components/1/deformation?model=brain"), 404, "model-unknown")
        for query in ("scale=far", "scale=nan", "scale=inf", "scale=1e9", "unit=mm", "format=nrrd", "model=A B"):
            require_problem(client.get(f"/components/1/deformation?{query}"), 422, "request-invalid")
        require_problem(client.get("/components/0/figure.png"), 422, "request-invalid")
        assert client.get("/jobs").json()["jobs"] == []
