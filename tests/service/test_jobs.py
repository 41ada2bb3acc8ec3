"""Jobs listed, looked at, cancelled."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.service.files import image
from tests.service.problems import require_problem
from tests.service.tiny_server import tiny as tiny
from tests.service.tiny_server import upload
from tests.service.tiny_server import worker as worker
from tests.service.web_server import WebServer
from tests.tiny_bundle import tiny_bundle as tiny_bundle

NOBODY = "job_" + 32 * "0"


def test_a_list_is_read_in_pages_by_their_links(tiny: WebServer) -> None:
    with tiny.client() as client:
        volume = upload(client, image())
        made = [client.post("/project", json={"volume": volume}).json()["id"] for _ in range(5)]
        seen: list[str] = []
        path: str | None = "/jobs?limit=2&kind=project"
        while path is not None:
            page = client.get(path)
            seen += [job["id"] for job in page.json()["jobs"]]
            link = page.headers.get("Link")
            assert (link is None) == (page.json()["next"] is None)
            path = None if link is None else link[1 : link.index(">")]
            # One that comes meanwhile is newer than what is read.
            client.post("/project", json={"volume": volume})
    assert seen == made[::-1]


def test_a_list_is_narrowed(tiny: WebServer) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    with tiny.client() as client:
        volume = upload(client, image())
        one = client.post("/project", json={"volume": volume, "subject": "s-1"}).json()["id"]
        two = client.post("/reconstruct", json={"coefficients": [1]}).json()["id"]
        client.post(f"/jobs/{two}/cancel")

        def listed(**asked: str) -> list[str]:
            answer = client.get("/jobs", params=asked)
            assert answer.status_code == 200, answer.text
            return [job["id"] for job in answer.json()["jobs"]]

        assert listed() == [two, one]
        assert listed(kind="project") == [one]
        assert listed(state="cancelled") == [two]
        assert listed(subject="s-1") == [one]
        assert listed(created_before=before.isoformat()) == []
        assert listed(created_after=before.isoformat()) == [two, one]
        for bad in (
            {"kind": "x"},
            {"limit": "0"},
            {"limit": "201"},
            {"created_after": "now"},
            {"created_before": "0.5"},
            {"subject": "a b"},
        ):
            require_problem(client.get("/jobs", params=bad), 422, "request-invalid")
        require_problem(client.get("/jobs", params={"cursor": "x"}), 422, "option-invalid")


def test_a_job_that_waits_is_cancelled_once_and_for_all(tiny: WebServer) -> None:
    with tiny.client() as client:
        job = client.post("/project", json={"volume": upload(client, image())}).json()
        for _ in range(2):
            answer = client.post(f"/jobs/{job['id']}/cancel")
            assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        # Nothing needs its volume any more.
        assert client.delete(f"/volumes/{job['request']['volume']}").status_code == 204


@pytest.mark.usefixtures("worker")
def test_a_job_that_has_ended_cannot_be_cancelled(tiny: WebServer) -> None:
    with tiny.client() as client:
        job = client.post("/reconstruct", json={"coefficients": [1]}, headers={"Prefer": "wait=60"}).json()
        assert job["state"] == "succeeded"
        require_problem(client.post(f"/jobs/{job['id']}/cancel"), 409, "job-finished")


def test_a_volume_that_a_job_needs_stays(tiny: WebServer) -> None:
    with tiny.client() as client:
        volume = upload(client, image())
        client.post("/project", json={"volume": volume})
        require_problem(client.delete(f"/volumes/{volume}"), 409, "volume-in-use")
        assert client.get(f"/volumes/{volume}/content").status_code == 200


def test_what_is_no_job_is_not_found(tiny: WebServer) -> None:
    with tiny.client() as client:
        for answer in (
            client.get(f"/jobs/{NOBODY}"),
            client.post(f"/jobs/{NOBODY}/cancel"),
            client.get(f"/jobs/{NOBODY}/events"),
            client.get(f"/jobs/{NOBODY}/results/field"),
        ):
            require_problem(answer, 404, "job-unknown")
        require_problem(client.get("/jobs/7"), 422, "request-invalid")
