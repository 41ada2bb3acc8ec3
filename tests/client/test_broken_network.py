"""Connections that break, servers that are busy, bytes that change: what the client makes good, and what it tells."""

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.client import Client
from eigenwarp.errors import (
    NotReadyError,
    OutOfMemoryError,
    ResultDamagedError,
    ServiceUnreachableError,
    StoreUnavailableError,
)
from eigenwarp.schemas.jobs import JobEvent, JobRow
from eigenwarp.schemas.problem_types import problem
from eigenwarp.volume import Geometry, Volume
from eigenwarp.volume.nifti import write_volume
from tests.client.proxy import BUSY, Fault, Proxy
from tests.integration.deployment import Deployment
from tests.integration.work import hold_a_worker
from tests.servers.ports import free_port
from tests.tiny_bundle import blob

MOVING, _ = blob(1)
FIXED, _ = blob(2)
_RANGE = b"range: bytes="


@pytest.fixture
def job(client: Client) -> JobRow:
    """A finished registration, its field's file of many kilobytes."""
    return client.register(MOVING, FIXED)


def ranges(proxy: Proxy) -> list[bytes]:
    return [head for head in proxy.heads(b"/results/") if _RANGE in head.lower()]


def test_a_broken_download_goes_on_where_it_broke(client: Client, proxy: Proxy, job: JobRow, tmp_path: Path) -> None:
    whole = client.result(job, "field")
    assert len(whole) > 12_000
    proxy.add(Fault(b"/results/field", times=2, cut=6_000))
    files = client.download(job, tmp_path, ["field"])
    assert files["field"].read_bytes() == whole
    assert len(ranges(proxy)) == 2
    assert len({head.lower().partition(_RANGE)[2].split(b"\r")[0] for head in ranges(proxy)}) == 2, "each went further"


def test_bytes_that_changed_on_the_way_are_fetched_anew(client: Client, proxy: Proxy, job: JobRow) -> None:
    whole = client.result(job, "field")
    fault = proxy.add(Fault(b"/results/field", corrupt=5_000))
    assert client.result(job, "field") == whole
    assert fault.met == 1


def test_bytes_that_change_each_time_are_refused_and_leave_no_file(
    client: Client, proxy: Proxy, job: JobRow, tmp_path: Path
) -> None:
    proxy.add(Fault(b"/results/field", times=2, corrupt=5_000))
    with pytest.raises(ResultDamagedError, match="SHA-256"):
        client.download(job, tmp_path, ["field"])
    assert not list(tmp_path.iterdir())


def test_a_busy_service_is_asked_again(client: Client, proxy: Proxy) -> None:
    upload = proxy.add(Fault(b"POST /volumes", times=2, answer=BUSY))
    submission = proxy.add(Fault(b"POST /project", times=1, answer=BUSY))
    assert client.project(MOVING).projection is not None
    assert (upload.met, submission.met) == (2, 1)


def test_a_submission_whose_answer_was_lost_makes_one_job(client: Client, proxy: Proxy) -> None:
    row = client.upload(MOVING)
    begun = datetime.now(UTC)
    fault = proxy.add(Fault(b"POST /project", times=2, cut=0))
    job = client.project(row)
    assert fault.met == 2
    assert len(proxy.heads(b"POST /project")) == 3
    assert [found.id for found in client.jobs(created_after=begun)] == [job.id]


def test_the_same_key_is_the_same_job_for_another_caller_process(client: Client, service: Deployment) -> None:
    row = client.upload(MOVING)
    first = client.project(row, idempotency_key="study-7/scan-1")
    with Client(service.url) as restarted:
        assert restarted.project(row.id, idempotency_key="study-7/scan-1").id == first.id


def test_waiting_goes_on_over_broken_streams(client: Client, proxy: Proxy, service: Deployment) -> None:
    hold_a_worker(service, 1.0)
    fault = proxy.add(Fault(b"/events", times=2, cut_after=b"}\n\n"))
    events: list[JobEvent] = []
    job = client.register(MOVING, FIXED, refine="latent", progress=events.append)
    assert job.state == "succeeded"
    assert fault.met == 2
    assert len(events) == len({(event.state, event.progress, event.attempt) for event in events}), "none twice"
    taken_up = [b"last-event-id" in head.lower() for head in proxy.heads(b"/events")]
    assert taken_up == [False, True, True]


def test_waiting_asks_again_and_again_where_there_are_no_events(client: Client, proxy: Proxy) -> None:
    fault = proxy.add(Fault(b"/events", times=1000, answer=BUSY))
    events: list[JobEvent] = []
    job = client.register(MOVING, FIXED, progress=events.append)
    assert job.report is not None
    assert fault.met == 1, "an absent store of events is no reason to ask for them again"
    assert events[-1].state == "succeeded"


def test_waiting_ends_after_its_time_and_the_job_goes_on(client: Client, service: Deployment) -> None:
    held = hold_a_worker(service, 3.0)
    with pytest.raises(NotReadyError, match=r"goes on after 0\.5 s"):
        client.wait(held, timeout=0.5)
    assert client.wait(held).state == "succeeded"


def test_a_job_that_failed_raises_what_it_failed_with(client: Client, service: Deployment) -> None:
    database = service.database
    queued = hold_a_worker(service, 60.0)
    behind = hold_a_worker(service, 0.0)
    claim = database.jobs.claim(behind, "tests", 60.0, 3)
    assert claim is not None
    database.jobs.fail(behind, claim.token, problem("out-of-memory", "the device has 1 GB, 2 GB are needed"))
    with pytest.raises(OutOfMemoryError, match="the device has 1 GB"):
        client.wait(behind)
    assert client.job(behind).state == "failed"
    client.cancel(queued)


def test_an_impatient_client_tells_at_once(proxy: Proxy) -> None:
    proxy.add(Fault(b"GET /models", answer=BUSY))
    with Client(proxy.url, patience=0.0) as client:
        with pytest.raises(StoreUnavailableError, match="the database is away"):
            client.models()
        assert len(proxy.heads(b"GET /models")) == 1
        assert client.is_ready()


def test_leave_to_come_back_at_once_is_no_leave_to_come_without_a_pause(proxy: Proxy) -> None:
    fault = proxy.add(Fault(b"GET /models", times=1000, answer=BUSY))
    with Client(proxy.url, patience=1.0) as client, pytest.raises(StoreUnavailableError):
        client.models()
    assert 2 <= fault.met <= 6


def test_nobody_there_is_told_with_the_call() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", patience=0.3) as client:
        assert not client.is_ready()
        with pytest.raises(ServiceUnreachableError, match="GET /models: no answer"):
            client.models()


def test_a_large_file_is_sent_in_blocks(client: Client, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(200, 200, 200)).astype(np.float32)
    path = tmp_path / "large.nii"
    write_volume(Volume(noise, Geometry(noise.shape, np.eye(4))), path)
    tracemalloc.start()
    try:
        row = client.upload(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert row.shape == (200, 200, 200)
    assert peak < path.stat().st_size / 4
