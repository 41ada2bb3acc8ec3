"""What is refused says why, by a problem of its own, and leaves nothing: not in the store, not in the spool."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from eigenwarp.settings import Settings
from tests.servers.processes import wait_until
from tests.service.files import bomb, image, left_behind, nifti, wide_header
from tests.service.problems import require_problem
from tests.service.web_server import WebServer, running_web

CUBE = (16, 16, 16)
START = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
FLOATS = np.random.default_rng(0).random(CUBE, dtype=np.float32)


def spoilt(value: float) -> np.ndarray:
    values = FLOATS.copy()
    values[3, 4, 5] = value
    return values


@pytest.mark.parametrize(
    ("content", "kind", "status", "problem"),
    [
        pytest.param(b"", "image", 422, "volume-not-nifti", id="empty"),
        pytest.param(image()[: len(image()) // 2], "image", 422, "volume-not-nifti", id="truncated gzip"),
        pytest.param(nifti(FLOATS, compressed=False)[:-1], "image", 422, "volume-not-nifti", id="truncated"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(400), "image", 422, "volume-not-nifti", id="not NIfTI"),
        pytest.param(bomb(), "image", 422, "volume-not-nifti", id="bomb after the voxels"),
        pytest.param(gzip.compress(bytes(1 << 20)), "image", 422, "volume-not-nifti", id="gzip of nothing"),
        pytest.param(nifti(spoilt(np.nan)), "image", 422, "voxels-not-finite", id="NaN"),
        pytest.param(nifti(spoilt(np.inf)), "image", 422, "voxels-not-finite", id="infinite"),
        pytest.param(nifti(np.zeros(CUBE, np.uint8)), "image", 422, "empty-volume", id="one intensity"),
        pytest.param(nifti(np.zeros((4, 4, 4, 2), np.uint8)), "image", 422, "volume-not-3d", id="4-D"),
        pytest.param(wide_header(), "image", 413, "volume-too-large", id="header of a million"),
        pytest.param(nifti(FLOATS), "segmentation", 422, "labels-not-integer", id="float labels"),
        pytest.param(
            nifti(np.full(CUBE, -1, np.int16)), "segmentation", 422, "labels-not-integer", id="negative labels"
        ),
    ],
)
def test_a_file_that_cannot_be_used(
    web: WebServer, settings: Settings, content: bytes, kind: str, status: int, problem: str
) -> None:
    with web.client() as client:
        answer = client.post("/volumes", files={"file": ("a.nii.gz", content)}, data={"kind": kind})
    require_problem(answer, status, problem)
    assert left_behind(web.resources, settings) == []


@pytest.fixture
def narrow(settings: Settings) -> Iterator[WebServer]:
    """A server that takes 32 KiB and 5,000 voxels, and checks one upload at a time."""
    bounds = {"max_upload_bytes": 32 << 10, "max_voxels": 5000, "max_waiting_uploads": 1}
    with running_web(settings.model_copy(update=bounds)) as server:
        yield server


def test_more_bytes_or_voxels_than_the_limit(narrow: WebServer, settings: Settings) -> None:
    with narrow.client() as client:
        long = client.post("/volumes", files={"file": ("a.nii", bytes(33 << 10))})
        longer = client.post("/volumes", files={"file": ("a.nii", bytes(8 << 20))})
        chunked = client.post(
            "/volumes",
            content=iter(
                [b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n', *[bytes(1 << 16)] * 64]
            ),
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        )
        voxels = client.post("/volumes", files={"file": ("a.nii.gz", nifti(np.zeros((18, 18, 18), np.uint8)))})
    for answer in (long, longer, chunked, voxels):
        require_problem(answer, 413, "volume-too-large")
    assert str(32 << 10) in long.json()["detail"]
    assert "5000" in voxels.json()["detail"]
    assert left_behind(narrow.resources, settings) == []


def test_one_after_another_where_one_is_checked_at_a_time(narrow: WebServer, settings: Settings) -> None:
    contents = [nifti(np.random.default_rng(seed).integers(0, 9, CUBE, dtype=np.uint8)) for seed in range(6)]
    contents[3] = contents[3][:-20]

    def post(content: bytes) -> int:
        with narrow.client() as client:
            return client.post("/volumes", files={"file": ("a.nii.gz", content)}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(post, contents)) == [201, 201, 201, 422, 201, 201]
    assert len(left_behind(narrow.resources, settings)) == 5


def test_the_same_content_twice_at_once_is_one_volume(web: WebServer, settings: Settings) -> None:
    def post(_: int) -> tuple[int, str]:
        with web.client() as client:
            answer = client.post("/volumes", files={"file": ("a.nii.gz", image())})
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(8)))
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({volume for _, volume in answers}) == 1
    assert len(left_behind(web.resources, settings)) == 1
    with web.client() as client:
        assert client.get(f"/volumes/{answers[0][1]}/content").status_code == 200


def test_a_path_in_a_file_name_leads_nowhere(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        for name in ("../../../../etc/passwd", "/etc/passwd", "a\\..\\b.nii", "%2e%2e/x.nii", "Doe^Jane 1970.nii.gz"):
            answer = client.post("/volumes", files={"file": (name, image())})
            assert answer.status_code in (200, 201)
    assert len(left_behind(web.resources, settings)) == 1
    assert not [path for path in settings.home.rglob("*") if "passwd" in path.name or "Doe" in path.name]


def test_another_content_type(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        for headers in ({"Content-Type": "application/gzip"}, {"Content-Type": "text/plain"}, {}):
            require_problem(client.post("/volumes", content=image(), headers=headers), 415, "media-type-unsupported")
        for kind in (
            "multipart/form-data",
            "multipart/form-data; boundary=",
            f"multipart/form-data; boundary={'b' * 99}",
        ):
            require_problem(
                client.post("/volumes", content=image(), headers={"Content-Type": kind}), 422, "request-invalid"
            )
    assert left_behind(web.resources, settings) == []


@pytest.mark.parametrize(
    ("body", "location"),
    [
        (b"", "body"),
        (b"no form at all", "body"),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf of', "body"),
        (b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--b--\r\n', "body.other"),
        (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nimage\r\n--b--\r\n', "body.file"),
        (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nmesh\r\n--b--\r\n', "body.kind"),
        (b'--b\r\nContent-Disposition: form-data; name="subject"\r\n\r\nJane Doe\r\n--b--\r\n', "body.subject"),
        (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\n\xff\r\n--b--\r\n', "body.kind"),
        (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nimage\r\n' * 2 + b"--b--\r\n", "body.kind"),
        (b"--b\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n", "body"),
        (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\n' + b"x" * 300_000 + b"\r\n--b--", "body.kind"),
    ],
)
def test_a_form_that_is_none(web: WebServer, settings: Settings, body: bytes, location: str) -> None:
    with web.client() as client:
        answer = client.post("/volumes", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    require_problem(answer, 422, "request-invalid")
    assert [part["location"] for part in answer.json()["errors"]] == [location]
    assert "Jane" not in answer.text
    assert left_behind(web.resources, settings) == []


def test_a_connection_that_breaks_off_leaves_nothing(web: WebServer, settings: Settings) -> None:
    def half() -> Iterator[bytes]:
        yield START
        yield bytes(2 << 20)
        raise ConnectionAbortedError

    with web.client() as client, pytest.raises(ConnectionAbortedError):
        client.post("/volumes", content=half(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    with web.client() as client:
        assert client.get("/jobs").status_code == 200
    wait_until(lambda: left_behind(web.resources, settings) == [], "the spool is empty")
