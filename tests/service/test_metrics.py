"""Prometheus' numbers: by route and never by value, of the jobs in the database, and of one application alone."""

import math
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from eigenwarp.settings import Settings
from tests.servers.redis import RedisServer
from tests.service.stored import finish_projection, projection, store_volume, submit_projection
from tests.service.web_server import WebServer, running_web

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "images" / "synthetic_1.nii.gz"


def numbers(web: WebServer) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels, as Prometheus itself would read it."""
    answer = httpx.get(f"{web.url}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def number(web: WebServer, name: str, **labels: str) -> float:
    return numbers(web)[(name, frozenset(labels.items()))]


def test_requests_are_counted_by_route_method_and_status(web: WebServer) -> None:
    with web.client() as client:
        for subject in ("s-1", "s-2", "s-3"):
            client.get(f"/subjects/{subject}/coefficients")
        client.get("/nowhere/at/all")
        client.request("BREW", "/models")
    requests = "eigenwarp_http_requests_total"
    assert number(web, requests, route="/subjects/{subject}/coefficients", method="GET", status="404") == 3
    assert number(web, requests, route="unmatched", method="GET", status="404") == 1
    found = numbers(web)
    assert not [labels for _, labels in found if "s-1" in str(labels) or "BREW" in str(labels)]
    duration = "eigenwarp_http_request_duration_seconds_count"
    assert number(web, duration, route="/subjects/{subject}/coefficients", method="GET") == 3


def test_bytes_that_were_brought_are_counted(web: WebServer) -> None:
    with web.client() as client, EXAMPLE.open("rb") as file:
        assert client.post("/volumes", files={"file": file}).status_code == 201
    received = number(web, "eigenwarp_http_received_bytes_total", route="/volumes", method="POST")
    assert EXAMPLE.stat().st_size < received < EXAMPLE.stat().st_size + 1000


def test_the_request_that_asks_is_the_one_in_flight(web: WebServer) -> None:
    assert number(web, "eigenwarp_http_requests_in_flight") == 1


def test_jobs_and_queue_are_as_the_stores_have_them(settings: Settings, redis_server: RedisServer) -> None:
    # No round of recovery in between: it would send messages for these jobs.
    own = settings.model_copy(update={"redis_url": SecretStr(redis_server.url), "recovery_seconds": 3600.0})
    with running_web(own) as web:
        assert number(web, "eigenwarp_oldest_queued_seconds") == 0
        assert number(web, "eigenwarp_queue_depth") == 0
        started = time.time()
        jobs = [submit_projection(web.resources, store_volume(web.resources), None) for _ in range(3)]
        finish_projection(web.resources, jobs[0], projection(1.0))
        web.resources.queue.send(jobs[1])
        assert number(web, "eigenwarp_jobs", state="queued") == 2
        assert number(web, "eigenwarp_jobs", state="succeeded") == 1
        assert number(web, "eigenwarp_jobs", state="failed") == 0
        assert number(web, "eigenwarp_queue_depth") == 1
        assert 0 < number(web, "eigenwarp_oldest_queued_seconds") <= time.time() - started + 1


def test_numbers_of_a_queue_that_is_away_are_no_numbers(settings: Settings, redis_server: RedisServer) -> None:
    with running_web(settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})) as web:
        assert number(web, "eigenwarp_source_up", source="queue") == 1
        redis_server.kill()
        assert math.isnan(number(web, "eigenwarp_queue_depth"))
        assert number(web, "eigenwarp_source_up", source="queue") == 0
        assert number(web, "eigenwarp_source_up", source="database") == 1


def test_two_applications_count_apart(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"home": tmp_path / "other"})
    with running_web(settings) as first, running_web(other) as second:
        httpx.get(f"{first.url}/healthz")
        assert number(first, "eigenwarp_http_requests_total", route="/healthz", method="GET", status="200") == 1
        with pytest.raises(KeyError):
            number(second, "eigenwarp_http_requests_total", route="/healthz", method="GET", status="200")
