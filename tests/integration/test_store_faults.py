"""Stores that go away and come back: what was accepted is done, once; what cannot be is refused, readably."""

import time

import pytest

from eigenwarp.volume.nifti import volume_to_bytes
from tests.integration.deployment import Deployment
from tests.integration.http_calls import HttpCalls, problem_code
from tests.integration.work import Volumes, require_done_once, running, submit_work
from tests.servers.processes import wait_until
from tests.tiny_bundle import blob

# Three leases.
BRIEFLY = 6.0


@pytest.fixture
def calls(breakable: Deployment) -> HttpCalls:
    return breakable.calls


def test_redis_may_lose_all_it_holds(breakable: Deployment, calls: HttpCalls) -> None:
    """Killed and started empty with one job running on each worker and others waiting; some come while it is away."""
    work = submit_work(calls, "redis", registrations=3)
    running(calls, work.registrations[0])
    breakable.redis.kill()
    while_away = submit_work(calls, "redis-away", registrations=0, projections=3)
    assert not breakable.ready()
    assert calls.http.get("/healthz").status_code == 200
    breakable.redis.start()
    with breakable.redis.client() as client:
        assert client.get("nothing") is None
    require_done_once(breakable, calls, work)
    require_done_once(breakable, calls, while_away)
    assert calls.job(work.registrations[0]).attempt == 1, "what ran went on"
    wait_until(breakable.ready, "ready again")


def test_the_object_store_may_be_away(breakable: Deployment, calls: HttpCalls) -> None:
    assert breakable.s3 is not None
    volumes = Volumes(calls)
    work = submit_work(calls, "objects", registrations=3)
    running(calls, work.registrations[0])
    breakable.s3.kill()
    away_since = time.monotonic()
    for refused in (
        calls.http.post("/volumes", files={"file": ("volume.nii.gz", volume_to_bytes(blob(99)[0]))}),
        # Which version the default model's name stands for is told by the store.
        calls.http.post("/register", json=volumes.registration()),
    ):
        assert (refused.status_code, problem_code(refused)) == (503, "store-unavailable")
        assert int(refused.headers["retry-after"]) > 0
    time.sleep(max(0.0, away_since + BRIEFLY - time.monotonic()))
    assert {calls.job(job_id).state for job_id in work.registrations} <= {"queued", "running"}
    breakable.s3.start()
    require_done_once(breakable, calls, work)


def test_the_database_may_be_away(breakable: Deployment, calls: HttpCalls) -> None:
    assert breakable.postgres is not None
    volumes = Volumes(calls)
    work = submit_work(calls, "database")
    running(calls, work.registrations[0])
    breakable.postgres.kill()
    away_since = time.monotonic()
    for answer in (
        calls.http.post("/register", json=volumes.registration({})),
        calls.http.get(f"/jobs/{work.registrations[0]}"),
    ):
        assert (answer.status_code, problem_code(answer)) == (503, "store-unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert not breakable.ready()
    time.sleep(max(0.0, away_since + BRIEFLY - time.monotonic()))
    breakable.postgres.start()
    wait_until(breakable.ready, "ready again")
    require_done_once(breakable, calls, work)


def test_the_object_store_and_the_database_may_be_away_for_half_a_minute(
    breakable: Deployment, calls: HttpCalls
) -> None:
    assert breakable.s3 is not None
    assert breakable.postgres is not None
    work = submit_work(calls, "both", registrations=3)
    running(calls, work.registrations[0])
    breakable.s3.kill()
    breakable.postgres.kill()
    time.sleep(30)
    breakable.postgres.start()
    breakable.s3.start()
    wait_until(breakable.ready, "ready again")
    require_done_once(breakable, calls, work)
