"""Jobs from their submission to their results, run by a worker's own runner."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.schemas.jobs import JobRow
from eigenwarp.settings import Settings
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.nifti import segmentation_to_bytes
from tests.service.files import image, labels, left_behind, nifti
from tests.service.problems import require_problem
from tests.service.tiny_server import tiny as tiny
from tests.service.tiny_server import upload
from tests.service.tiny_server import worker as worker
from tests.service.web_server import WebServer, running_web
from tests.service.working import publish
from tests.tiny_bundle import blob
from tests.tiny_bundle import tiny_bundle as tiny_bundle

WAIT = {"Prefer": "wait=60"}
AT = "2026-01-31T09:30:00Z"


@pytest.mark.usefixtures("worker")
def test_a_pair_sent_as_a_form_is_registered_while_the_caller_waits(tiny: WebServer) -> None:
    files = {
        "moving": ("m", image(1)),
        "fixed": ("f", image(2)),
        "moving_segmentation": ("ms", labels(1)),
        "fixed_segmentation": ("fs", labels(2)),
    }
    options = {"outputs": ["field", "warped_segmentation", "report", "field"], "field_format": "ras"}
    with tiny.client() as client:
        answer = client.post("/register", files=files, data={"options": json.dumps(options)}, headers=WAIT)
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=60"), answer.text
        job = JobRow.model_validate(answer.json())
        assert answer.headers["Location"] == f"/jobs/{job.id}"
        assert job.state == "succeeded"
        assert [result.name for result in job.results] == ["field", "warped_segmentation", "report"]
        assert job.report is not None
        assert job.report.labels.mean_dice_after is not None
        for result in job.results:
            down = client.get(result.href)
            assert (down.status_code, down.headers["ETag"]) == (200, f'"{result.sha256}"')
            assert len(down.content) == result.bytes
            assert down.headers["Content-Type"] == result.content_type
            assert client.get(result.href, headers={"Range": "bytes=3-9"}).content == down.content[3:10]
        missing = client.get(f"/jobs/{job.id}/results/jacobian")
    require_problem(missing, 404, "result-unknown")
    assert "warped_segmentation" in missing.json()["detail"]


@pytest.mark.usefixtures("worker")
def test_every_kind_of_job_ends(tiny: WebServer) -> None:
    with tiny.client() as client:
        volume, segmentation = upload(client, image(1)), upload(client, labels(1), "segmentation")
        project = client.post(
            "/project", json={"volume": volume, "subject": "s-7", "acquired_at": AT}, headers=WAIT
        ).json()
        assert len(project["projection"]["coefficients"]) == 3
        history = client.get("/subjects/s-7/coefficients").json()["rows"]
        assert [(row["job"], row["acquired_at"]) for row in history] == [(project["id"], AT)]
        coefficients = project["projection"]["coefficients"]
        made = client.post("/reconstruct", json={"coefficients": coefficients[:2]}, headers=WAIT).json()
        assert {"field", "warped"} <= {result["name"] for result in made["results"]}
        form = {"coefficients": json.dumps(coefficients), "field_format": "ras"}
        made = client.post("/reconstruct", files={"template": ("t", image(2))}, data=form, headers=WAIT).json()
        assert made["state"] == "succeeded", made
        body = {"volume": volume, "segmentation": segmentation, "scale": -1.5}
        moved = client.post("/components/2/warp", json=body, headers=WAIT).json()
        assert moved["state"] == "succeeded", moved
        assert (moved["request"]["component"], moved["request"]["scale"]) == (2, -1.5)
        assert {"warped", "warped_segmentation"} <= {result["name"] for result in moved["results"]}


def test_a_submission_is_accepted_at_once_and_says_where_it_is(tiny: WebServer) -> None:
    with tiny.client() as client:
        volume = upload(client, image(1))
        answer = client.post("/project", json={"volume": volume})
        assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1")
        assert "Preference-Applied" not in answer.headers
        found = client.get(answer.headers["Location"]).json()
        assert (found["state"], found["kind"], found["request"]["volume"]) == ("queued", "project", volume)
        assert found["model"]["name"] == "tiny"
        short = client.post("/project", json={"volume": volume}, headers={"Prefer": "respond-async, wait=1"})
        assert (short.status_code, short.headers["Preference-Applied"]) == (202, "wait=1")
        assert tiny.resources.queue.depth() >= 2


def test_an_idempotency_key_names_one_request(tiny: WebServer) -> None:
    key = {"Idempotency-Key": "scan-17"}
    with tiny.client() as client:
        volume = upload(client, image(1))
        first = client.post("/project", json={"volume": volume}, headers=key).json()
        assert client.post("/project", json={"volume": volume}, headers=key).json()["id"] == first["id"]
        form = client.post("/project", files={"volume": ("v", image(1))}, headers=key)
        assert form.json()["id"] == first["id"]
        other = client.post("/project", json={"volume": volume, "alignment": "world"}, headers=key)
        require_problem(other, 422, "idempotency-mismatch")
        assert client.post("/project", json={"volume": volume}).json()["id"] != first["id"]
        assert len(client.get("/jobs").json()["jobs"]) == 2
        for bad in ("", "a b", "x" * 256):
            refused = client.post("/project", json={"volume": volume}, headers={"Idempotency-Key": bad})
            require_problem(refused, 422, "request-invalid")


def test_one_request_sent_many_times_at_once_is_one_job(tiny: WebServer) -> None:
    def post(_: int) -> str:
        with tiny.client() as client:
            answer = client.post("/project", files={"volume": ("v", image(3))}, headers={"Idempotency-Key": "same"})
        return str(answer.json()["id"])

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(post, range(8)))) == 1


def elsewhere() -> bytes:
    found = blob(1)[1]
    moved = found.geometry.affine.copy()
    moved[0, 3] += 0.5
    return segmentation_to_bytes(Segmentation(found.data, Geometry(found.shape, moved)))


@pytest.mark.parametrize(
    ("path", "body", "status", "problem"),
    [
        ("/register", {"moving": "IMAGE"}, 422, "request-invalid"),
        ("/register", {"moving": "IMAGE", "fixed": "IMAGE", "options": {"refine": "much"}}, 422, "request-invalid"),
        ("/register", {"moving": "IMAGE", "fixed": "IMAGE", "options": {"outputs": []}}, 422, "request-invalid"),
        ("/register", {"moving": "IMAGE", "fixed": "LABELS"}, 422, "request-invalid"),
        ("/register", {"moving": "IMAGE", "fixed": "IMAGE", "unknown": 1}, 422, "request-invalid"),
        ("/register", {"moving": "IMAGE", "fixed": "sha256:" + 64 * "0"}, 404, "volume-unknown"),
        ("/register", {"moving": "IMAGE", "fixed": "../../x"}, 422, "request-invalid"),
        ("/register", {"moving": "IMAGE", "fixed": "IMAGE", "model": "brain"}, 404, "model-unknown"),
        ("/register", {"moving": "IMAGE", "fixed": "IMAGE", "model": "tiny@0123456789ab"}, 404, "model-unknown"),
        ("/reconstruct", {"coefficients": ["1"]}, 422, "request-invalid"),
        ("/project", {"volume": "IMAGE", "acquired_at": 1767225600}, 422, "request-invalid"),
        ("/project", {"volume": "IMAGE", "acquired_at": "2026-01-01"}, 422, "request-invalid"),
        (
            "/register",
            {"moving": "IMAGE", "fixed": "IMAGE", "moving_segmentation": "ELSEWHERE"},
            422,
            "segmentation-geometry-mismatch",
        ),
        (
            "/register",
            {"moving": "IMAGE", "fixed": "IMAGE", "options": {"components": 4}},
            404,
            "component-out-of-range",
        ),
        ("/project", {"volume": "LABELS"}, 422, "request-invalid"),
        ("/project", {"volume": "IMAGE", "subject": "Jane Doe"}, 422, "request-invalid"),
        ("/project", {"volume": "IMAGE", "acquired_at": "2026-01-01T00:00:00"}, 422, "request-invalid"),
        ("/reconstruct", {"coefficients": [1, 2, 3, 4]}, 404, "component-out-of-range"),
        ("/reconstruct", {"coefficients": []}, 422, "request-invalid"),
        ("/components/4/warp", {"volume": "IMAGE", "scale": 1}, 404, "component-out-of-range"),
        ("/components/0/warp", {"volume": "IMAGE", "scale": 1}, 422, "request-invalid"),
        ("/components/1/warp", {"volume": "IMAGE", "scale": 1e9}, 422, "request-invalid"),
        ("/components/1/warp", {"volume": "IMAGE"}, 422, "request-invalid"),
        (
            "/components/1/warp",
            {"volume": "IMAGE", "segmentation": "ELSEWHERE", "scale": 1},
            422,
            "segmentation-geometry-mismatch",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    tiny: WebServer, path: str, body: dict[str, object], status: int, problem: str
) -> None:
    with tiny.client() as client:
        ids = {
            "IMAGE": upload(client, image(1)),
            "LABELS": upload(client, labels(1), "segmentation"),
            "ELSEWHERE": upload(client, elsewhere(), "segmentation"),
        }
        answer = client.post(path, json={name: ids.get(str(value), value) for name, value in body.items()})
        require_problem(answer, status, problem)
        assert "Jane" not in answer.text
        assert client.get("/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("path", "files", "fields", "status", "problem"),
    [
        ("/register", {"moving": image(1), "fixed": image(2)[:99]}, {}, 422, "volume-not-nifti"),
        ("/register", {"moving": image(1)}, {}, 422, "request-invalid"),
        ("/register", {"moving": image(1), "fixed": image(2)}, {"options": "{"}, 422, "request-invalid"),
        ("/register", {"moving": image(1), "fixed": image(2)}, {"options": '{"refine": 1}'}, 422, "request-invalid"),
        ("/register", {"moving": image(1), "fixed": image(2)}, {"model": "brain"}, 404, "model-unknown"),
        ("/register", {"moving": image(1), "scan": image(2)}, {}, 422, "request-invalid"),
        (
            "/register",
            {"moving": image(1), "fixed": image(2), "fixed_segmentation": elsewhere()},
            {},
            422,
            "segmentation-geometry-mismatch",
        ),
        ("/register", {"moving": image(1), "fixed": image(2)}, {"fixed": "sha256:" + 64 * "0"}, 422, "request-invalid"),
        ("/register", {"moving": image(1)}, {"fixed": "sha256:" + 64 * "0"}, 404, "volume-unknown"),
        ("/project", {"volume": nifti(np.full((8, 8, 8), np.nan, np.float32))}, {}, 422, "voxels-not-finite"),
        ("/reconstruct", {"template": image(1)}, {"coefficients": '[1, "a"]'}, 422, "request-invalid"),
        ("/components/1/warp", {"volume": image(1)}, {"scale": "far"}, 422, "request-invalid"),
    ],
)
def test_of_a_form_that_is_refused_nothing_is_kept(
    tiny: WebServer,
    settings: Settings,
    path: str,
    files: dict[str, bytes],
    fields: dict[str, str],
    status: int,
    problem: str,
) -> None:
    with tiny.client() as client:
        answer = client.post(path, files={name: ("x", content) for name, content in files.items()}, data=fields)
        require_problem(answer, status, problem)
        assert client.get("/jobs").json()["jobs"] == []
    assert left_behind(tiny.resources, settings) == []


def test_files_of_a_submission_that_finds_the_queue_full_are_given_back(settings: Settings, tiny_bundle: Path) -> None:
    full = settings.model_copy(update={"default_model": "tiny", "max_queued_jobs": 1})
    with running_web(full) as server, server.client() as client:
        publish(server.resources.objects, tiny_bundle)
        kept = upload(client, image(1))
        assert client.post("/project", json={"volume": kept}).status_code == 202
        answer = client.post("/register", files={"moving": ("m", image(1)), "fixed": ("f", image(2))})
        require_problem(answer, 503, "queue-full")
        assert int(answer.headers["Retry-After"]) >= 1
        # What was there before is not taken along.
        assert client.get(f"/volumes/{kept}/content").status_code == 200
        assert len(left_behind(server.resources, full)) == 1


def test_an_id_and_a_file_may_stand_in_one_form(tiny: WebServer) -> None:
    with tiny.client() as client:
        fixed = upload(client, image(2))
        answer = client.post("/register", files={"moving": ("m", image(1))}, data={"fixed": fixed})
        assert answer.status_code == 202, answer.text
        assert answer.json()["request"]["fixed"] == fixed


def test_a_body_of_another_kind(tiny: WebServer) -> None:
    with tiny.client() as client:
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            answer = client.post("/project", content=b"{}", headers={"Content-Type": kind})
            require_problem(answer, 415, "media-type-unsupported")
        for body in (b"", b"{", b"[]", b"null", b"\xff", b'{"volume": NaN}', b"[" * 100_000):
            answer = client.post("/project", content=body, headers={"Content-Type": "application/json"})
            require_problem(answer, 422, "request-invalid")
        answer = client.post("/project", content=b" " * (2 << 20), headers={"Content-Type": "application/json"})
        require_problem(answer, 413, "request-too-large")
