"""The audit trail: a row for each access to a volume, a result or a subject, or the access does not happen."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from eigenwarp.settings import Settings
from eigenwarp.stores.database.records import AuditEntry
from service.keys import create_key
from tests.service.stored import finish_projection, projection, store_volume, submit_projection
from tests.service.web_server import WebServer

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "images" / "synthetic_1.nii.gz"


def trail(web: WebServer) -> list[AuditEntry]:
    """Oldest first."""
    entries, following = web.resources.database.audit.page(limit=500)
    assert following is None
    return entries[::-1]


def rows(web: WebServer) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.target, entry.outcome) for entry in trail(web)]


def test_a_row_tells_who_did_what_to_what_when_and_under_which_request(web: WebServer) -> None:
    volume = store_volume(web.resources)
    key = create_key(web.resources.database, "reader", ["read"])
    with web.client(key.reveal()) as client:
        answer = client.get(f"/volumes/{volume}", headers={"X-Request-Id": "r-1"})
    assert answer.status_code == 200
    (entry,) = trail(web)
    assert (entry.caller, entry.action, entry.target) == (f"key:{key.id}", "volume.read", volume)
    assert (entry.outcome, entry.request_id) == ("done", "r-1")


def test_every_way_to_a_volume_a_result_and_a_subject_leaves_a_row(web: WebServer) -> None:
    volume = store_volume(web.resources, "s-1")
    job = submit_projection(web.resources, volume, "s-1")
    finish_projection(web.resources, job, projection(1.0))
    with web.client() as client:
        for path in (
            f"/volumes/{volume}",
            f"/volumes/{volume}/content",
            f"/jobs/{job}",
            f"/jobs/{job}/results/coefficients",
            "/subjects/s-1/coefficients",
            "/jobs?subject=s-1",
        ):
            assert client.get(path).status_code == 200, path
    assert rows(web) == [
        ("volume.read", volume, "done"),
        ("volume.download", volume, "done"),
        ("result.read", job, "done"),
        ("result.read:coefficients", job, "done"),
        ("subject.read", "s-1", "done"),
        ("subject.read", "s-1", "done"),
    ]


def test_an_upload_leaves_the_id_that_it_was_given(web: WebServer) -> None:
    with web.client() as client, EXAMPLE.open("rb") as file:
        answer = client.post("/volumes", files={"file": file})
    assert answer.status_code == 201, answer.text
    assert rows(web) == [("volume.create", answer.json()["id"], "done")]


def test_a_job_that_has_found_nothing_yet_is_no_access(web: WebServer) -> None:
    job = submit_projection(web.resources, store_volume(web.resources), None)
    with web.client() as client:
        assert client.get(f"/jobs/{job}").status_code == 200
        page = client.get("/jobs").json()
    assert [row["id"] for row in page["jobs"]] == [job]
    assert rows(web) == []


def test_a_list_of_jobs_does_not_hand_out_what_they_found(web: WebServer) -> None:
    job = submit_projection(web.resources, store_volume(web.resources), None)
    finish_projection(web.resources, job, projection(1.0))
    with web.client() as client:
        (row,) = client.get("/jobs").json()["jobs"]
        assert row["projection"] is None
        assert client.get(f"/jobs/{job}").json()["projection"]["coefficients"] == [1.0]


def test_a_refusal_leaves_a_row_with_its_reason(web: WebServer) -> None:
    volume = store_volume(web.resources)
    key = create_key(web.resources.database, "submitter", ["submit"])
    with web.client(key.reveal()) as client:
        assert client.get(f"/volumes/{volume}").status_code == 403
    assert rows(web) == [("volume.read", volume, "not-allowed")]


def test_what_is_not_held_is_not_written_down(web: WebServer) -> None:
    with web.client() as client:
        assert client.get("/subjects/s-404/coefficients").status_code == 404
        assert client.get(f"/subjects/{'x' * 65}/coefficients").status_code == 422
        assert client.get("/subjects/two%0Alines/coefficients").status_code == 422
    assert rows(web) == [
        ("subject.read", "unknown", "subject-unknown"),
        ("subject.read", "x" * 65, "refused"),
        ("subject.read", "invalid", "refused"),
    ]


def test_who_was_not_recognised_leaves_no_row(web: WebServer) -> None:
    volume = store_volume(web.resources)
    create_key(web.resources.database, "reader", ["read"])
    with web.client() as client:
        assert client.get(f"/volumes/{volume}").status_code == 401
    assert rows(web) == []


def test_what_tells_of_nobody_leaves_no_row(web: WebServer) -> None:
    with web.client() as client:
        for path in ("/models", "/healthz", "/readyz", "/metrics", "/", "/openapi.json"):
            assert client.get(path).status_code == 200, path
    assert rows(web) == []


@pytest.mark.parametrize("path", ["/subjects/s-1/coefficients", "/volumes/{volume}/content"])
def test_an_access_that_cannot_be_written_down_does_not_happen(web: WebServer, settings: Settings, path: str) -> None:
    volume = store_volume(web.resources, "s-1")
    job = submit_projection(web.resources, volume, "s-1")
    finish_projection(web.resources, job, projection(1.0))
    engine = create_engine(settings.database)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        )
    engine.dispose()
    with web.client() as client:
        answer = client.get(path.format(volume=volume))
    assert answer.status_code in (500, 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "s-1" not in answer.text
    assert b"voxels" not in answer.content
