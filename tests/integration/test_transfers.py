"""How bytes and events travel: presigned, in ranges, on conditions, replayed, waited for, and once only."""

import hashlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from eigenwarp.schemas.jobs import FINAL_STATES, JobEvent, JobRow
from eigenwarp.schemas.volumes import UploadTicket, VolumeRow
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from tests.integration.deployment import Deployment
from tests.integration.http_calls import HttpCalls, problem_code
from tests.tiny_bundle import blob


@pytest.fixture(scope="module")
def pair(calls: HttpCalls) -> dict[str, object]:
    """A registration's body, of tiny volumes and by the tiny model."""
    return pair_of(calls)


def pair_of(calls: HttpCalls) -> dict[str, object]:
    moving, fixed = (volume_to_bytes(blob(seed)[0]) for seed in (1, 2))
    labels = segmentation_to_bytes(blob(1)[1])
    return {
        "moving": calls.upload(moving),
        "fixed": calls.upload(fixed),
        "moving_segmentation": calls.upload(labels, "segmentation"),
        "model": "tiny",
    }


@pytest.fixture(scope="module")
def registered(calls: HttpCalls, pair: dict[str, object]) -> JobRow:
    """A job with results."""
    return calls.succeeded(calls.submit("/register", pair))


def test_a_presigned_upload_is_the_same_volume(calls: HttpCalls, deployment: Deployment) -> None:
    content = volume_to_bytes(blob(11)[0])
    answer = calls.http.post("/volumes/uploads", json={"kind": "image", "bytes": len(content)})
    assert answer.status_code == 201, answer.text
    ticket = UploadTicket.model_validate_json(answer.content)
    assert deployment.s3 is not None
    assert urlsplit(ticket.url).netloc == deployment.s3.endpoint
    assert httpx.put(ticket.url.partition("?")[0], content=content).status_code == 403, (
        "nobody puts without the signature"
    )
    before = calls.http.post(f"/volumes/uploads/{ticket.upload}/complete")
    assert (before.status_code, problem_code(before)) == (409, "upload-incomplete")
    assert httpx.request(ticket.method, ticket.url, content=content).status_code == 200
    completed = calls.http.post(f"/volumes/uploads/{ticket.upload}/complete")
    assert completed.status_code == 201, completed.text
    row = VolumeRow.model_validate_json(completed.content)
    assert row.id == calls.upload(content)


def test_a_result_is_fetched_from_the_store_itself(
    calls: HttpCalls, deployment: Deployment, registered: JobRow
) -> None:
    told = next(result for result in registered.results if result.name == "field")
    answer = calls.http.get(told.href)
    assert answer.status_code in (302, 303, 307), answer.text
    assert deployment.s3 is not None
    assert urlsplit(answer.headers["location"]).netloc == deployment.s3.endpoint
    whole = httpx.get(answer.headers["location"])
    assert hashlib.sha256(whole.content).hexdigest() == told.sha256
    assert "attachment" in whole.headers["content-disposition"]
    part = httpx.get(answer.headers["location"], headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert httpx.get(answer.headers["location"].partition("?")[0]).status_code == 403


def test_a_result_comes_in_ranges(small: Deployment, kept: JobRow) -> None:
    calls = small.calls
    told = next(result for result in kept.results if result.name == "field")
    whole = calls.http.get(told.href)
    assert whole.status_code == 200
    assert whole.headers["accept-ranges"] == "bytes"
    assert "field.nii.gz" in whole.headers["content-disposition"]
    etag = whole.headers["etag"]
    assert not etag.startswith("W/")
    for asked, expected in (("0-99", whole.content[:100]), ("100-", whole.content[100:]), ("-7", whole.content[-7:])):
        part = calls.http.get(told.href, headers={"Range": f"bytes={asked}", "If-Range": etag})
        assert part.status_code == 206
        assert part.content == expected
        assert part.headers["content-range"].endswith(f"/{told.bytes}")
    other = calls.http.get(told.href, headers={"Range": "bytes=0-99", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = calls.http.get(told.href, headers={"Range": f"bytes={told.bytes}-"})
    assert (beyond.status_code, problem_code(beyond)) == (416, "range-invalid")


def test_what_the_caller_has_is_not_sent_again(small: Deployment, kept: JobRow) -> None:
    calls = small.calls
    volume = kept.request.model_dump()["moving"]
    for path in (kept.results[0].href, f"/volumes/{volume}/content", "/components/1/deformation?model=tiny"):
        first = calls.http.get(path)
        assert first.status_code == 200, first.text
        again = calls.http.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert calls.http.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_events_are_replayed_from_where_they_broke_off(calls: HttpCalls, pair: dict[str, object]) -> None:
    job_id = calls.submit("/register", {**pair, "options": {"refine": "latent"}})
    live = list(_events(calls, job_id))
    told = [event for _, event in live]
    assert told[-1].state == "succeeded"
    assert {event.job for event in told} == {job_id}
    assert [event for event in told if event.state == "running"], "progress was told"
    fractions = [event.progress.fraction for event in told if event.progress is not None]
    assert fractions == sorted(fractions)
    assert [event.state in FINAL_STATES for event in told].count(True) == 1
    assert list(_events(calls, job_id)) == live, "after the end all is told again"
    assert list(_events(calls, job_id, live[1][0])) == live[2:]


def test_a_caller_waits_only_as_long_as_it_prefers(calls: HttpCalls, pair: dict[str, object]) -> None:
    slow = {**pair, "options": {"refine": "latent"}}
    early = calls.http.post("/register", json=slow, headers={"Prefer": "wait=0"})
    assert early.status_code == 202
    waited = calls.http.post("/register", json=pair, headers={"Prefer": "respond-async, wait=60"})
    assert waited.status_code == 200, waited.text
    assert waited.headers["preference-applied"].startswith("wait")
    assert JobRow.model_validate_json(waited.content).state == "succeeded"
    calls.succeeded(JobRow.model_validate_json(early.content).id)


def test_the_same_request_under_one_key_is_one_job(calls: HttpCalls, pair: dict[str, object]) -> None:
    headers = {"Idempotency-Key": "a-key-of-this-test"}
    first = calls.submit("/register", pair, headers)
    calls.succeeded(first)
    again = calls.http.post("/register", json=pair, headers=headers)
    assert again.status_code in (200, 202)
    assert JobRow.model_validate_json(again.content).id == first
    other = calls.http.post("/register", json={**pair, "options": {"refine": "latent"}}, headers=headers)
    assert (other.status_code, problem_code(other)) == (422, "idempotency-mismatch")
    listed = calls.http.get("/jobs", params={"kind": "register", "limit": 200}).json()["jobs"]
    assert [row["id"] for row in listed].count(first) == 1


@pytest.fixture(scope="module")
def kept(small: Deployment) -> JobRow:
    """A job whose results the service hands out itself."""
    calls = small.calls
    return calls.succeeded(calls.submit("/register", pair_of(calls)))


def _events(calls: HttpCalls, job_id: str, after: str | None = None) -> Iterator[tuple[str | None, JobEvent]]:
    """Ids and events until the server ends the stream."""
    headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": after})
    with calls.http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(":")
            if line == "" and "data" in fields:
                yield fields.get("id"), JobEvent.model_validate_json(fields["data"])
            if line == "":
                fields = {}
            elif name:
                fields[name] = value.removeprefix(" ")
