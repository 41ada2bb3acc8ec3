"""Server-sent events: from the beginning, from where one left off, and without Redis."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from eigenwarp.schemas.jobs import JobEvent
from eigenwarp.settings import load_settings
from tests.servers.redis import RedisServer
from tests.service.files import image
from tests.service.problems import require_problem
from tests.service.tiny_server import tiny as tiny
from tests.service.tiny_server import upload
from tests.service.tiny_server import worker as worker
from tests.service.web_server import WebServer, running_web
from tests.service.working import publish, working
from tests.tiny_bundle import tiny_bundle as tiny_bundle


@dataclass
class Told:
    """One event."""

    id: str | None
    name: str
    event: JobEvent


def events(answer: httpx.Response) -> Iterator[Told]:
    """Those of a stream, as they come."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Told(fields.get("id"), fields["event"], JobEvent.model_validate_json(fields["data"]))
            fields = {}


def follow(client: httpx.Client, job_id: str, last: str | None = None) -> list[Told]:
    """All events up to the end."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
        return list(events(answer))


@pytest.mark.usefixtures("worker")
def test_a_job_is_told_from_queued_to_succeeded_and_again_from_any_event_on(tiny: WebServer) -> None:
    with tiny.client() as client:
        body = {"moving": upload(client, image(1)), "fixed": upload(client, image(2))}
        job_id = client.post("/register", json=body).json()["id"]
        told = follow(client, job_id)
        assert told[0].event.state == "queued"
        assert told[-1].event.state == "succeeded"
        stages = [one.event.progress.stage for one in told if one.event.progress is not None]
        assert {"encode", "decode", "write"} <= set(stages)
        fractions = [one.event.progress.fraction for one in told if one.event.progress is not None]
        assert fractions == sorted(fractions)
        assert {one.name for one in told} == {"state", "progress"}
        assert [one.event.state for one in told if one.name == "state"] == ["queued", "running", "succeeded"]
        ids = [one.id for one in told]
        assert None not in ids
        assert [one.id for one in follow(client, job_id, told[2].id)] == ids[3:]
        ended = client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": str(ids[-1])})
        assert (ended.status_code, ended.content) == (204, b"")
        for bad in ("x", "-1", "1-2-3"):
            refused = client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": bad})
            require_problem(refused, 422, "request-invalid")


def test_a_cancelled_job_ends_its_stream(tiny: WebServer) -> None:
    with tiny.client() as client, tiny.client() as other:
        job_id = client.post("/reconstruct", json={"coefficients": [1]}).json()["id"]
        with client.stream("GET", f"/jobs/{job_id}/events") as answer:
            stream = events(answer)
            assert next(stream).event.state == "queued"
            other.post(f"/jobs/{job_id}/cancel")
            assert [one.event.state for one in stream] == ["cancelled"]


def test_a_stream_that_was_lost_is_replaced_by_the_row(tiny: WebServer) -> None:
    with tiny.client() as client:
        job_id = client.post("/reconstruct", json={"coefficients": [1]}).json()["id"]
        client.post(f"/jobs/{job_id}/cancel")
        tiny.resources.events.delete(job_id)
        told = follow(client, job_id)
    assert [(one.id, one.event.state) for one in told] == [(None, "cancelled")]


def test_a_stream_and_a_waiting_caller_outlive_redis(
    tmp_path: Path, redis_server: RedisServer, tiny_bundle: Path
) -> None:
    own = load_settings({}, home=tmp_path / "own", redis_url=redis_server.url, default_model="tiny")
    with running_web(own) as server, server.client() as client:
        publish(server.resources.objects, tiny_bundle)
        job_id = client.post("/reconstruct", json={"coefficients": [1]}).json()["id"]
        with client.stream("GET", f"/jobs/{job_id}/events") as answer:
            stream = events(answer)
            assert next(stream).event.state == "queued"
            redis_server.kill()
            with working(own):
                assert [one.event.state for one in stream][-1] == "succeeded"
                # Redis is still away: a submission is accepted, waited for, and told all the same.
                late = client.post("/reconstruct", json={"coefficients": [2]}, headers={"Prefer": "wait=60"})
                assert (late.status_code, late.json()["state"]) == (200, "succeeded")
                assert [one.event.state for one in follow(client, late.json()["id"])] == ["succeeded"]


def test_a_silent_stream_is_kept_alive(tiny: WebServer) -> None:
    with tiny.client() as client:
        job_id = client.post("/reconstruct", json={"coefficients": [1]}).json()["id"]
        deadline = time.monotonic() + 30
        with client.stream("GET", f"/jobs/{job_id}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith(":"):
                    break
                assert time.monotonic() < deadline
            else:
                pytest.fail("the stream ended")
        assert json.loads(client.get(f"/jobs/{job_id}").content)["state"] == "queued"
