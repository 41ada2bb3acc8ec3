"""Workers that are killed, told to stop, frozen and thawed: no accepted job is lost and none is done twice."""

import os
import signal

import pytest

from tests.integration.deployment import Deployment, children
from tests.integration.http_calls import HttpCalls
from tests.integration.work import hold_a_worker, require_done_once, running, submit_work
from tests.servers.processes import wait_until


@pytest.fixture
def calls(breakable: Deployment) -> HttpCalls:
    return breakable.calls


def test_a_killed_child_costs_an_attempt_and_no_job(breakable: Deployment, calls: HttpCalls) -> None:
    work = submit_work(calls, "child")
    first = work.registrations[0]
    index, child = holder(breakable, first)
    os.kill(child, signal.SIGKILL)
    require_done_once(breakable, calls, work)
    assert calls.job(first).attempt == 2
    assert breakable.worker(index).process.poll() is None, "the worker itself goes on, with a new child"


def test_a_killed_worker_costs_an_attempt_and_no_job(breakable: Deployment, calls: HttpCalls) -> None:
    work = submit_work(calls, "worker")
    first = work.registrations[0]
    index, _ = holder(breakable, first)
    breakable.worker(index).kill()
    require_done_once(breakable, calls, work)
    assert calls.job(first).attempt == 2


def test_a_worker_told_to_stop_ends_what_it_can(breakable: Deployment, calls: HttpCalls) -> None:
    """A job that takes less than the time that a stopping worker has, and one that takes more."""
    long = hold_a_worker(breakable, seconds=12)
    index, _ = holder(breakable, long)
    work = submit_work(calls, "stop", registrations=1)
    other, _ = holder(breakable, work.registrations[0])
    assert other != index
    for each in (index, other):
        breakable.worker(each).send(signal.SIGTERM)
    for each in (index, other):
        assert breakable.worker(each).wait(20) == 0, breakable.log(f"worker-{each}")
    released = breakable.database.jobs.get(long)
    assert (released.state, released.attempt) == ("queued", 0), "given back, and not counted"
    breakable.mend()
    require_done_once(breakable, calls, work)
    assert calls.succeeded(long).attempt == 1
    assert {calls.job(job_id).attempt for job_id in work.jobs} == {1}


def test_a_worker_that_comes_back_after_its_lease_changes_nothing(breakable: Deployment, calls: HttpCalls) -> None:
    work = submit_work(calls, "stale", registrations=1, projections=1)
    database = breakable.database
    (job_id,) = work.registrations
    index, child = holder(breakable, job_id)
    stale = database.jobs.get(job_id)
    os.kill(child, signal.SIGSTOP)
    row = calls.succeeded(job_id)
    done = database.jobs.get(job_id)
    assert (row.attempt, done.token) == (2, stale.token + 1)
    assert done.worker != stale.worker
    os.kill(child, signal.SIGCONT)
    # It is heard of again when it takes another job, the other worker being away.
    breakable.worker(1 - index).kill()
    after = submit_work(calls, "after-stale", registrations=1, projections=0)
    require_done_once(breakable, calls, after)
    require_done_once(breakable, calls, work)
    assert database.jobs.get(job_id) == done
    assert "lease" in breakable.log(f"worker-{index}")


def test_the_same_message_twice_is_one_job(breakable: Deployment, calls: HttpCalls) -> None:
    work = submit_work(calls, "twice", registrations=1, projections=3)
    queue = breakable.queue
    running(calls, work.registrations[0])
    for job_id in work.jobs * 2:
        queue.send(job_id)
    require_done_once(breakable, calls, work)
    # Some of these may still be waiting, and are counted with those below.
    before = idle_messages(breakable)
    for job_id in work.jobs:
        queue.send(job_id)
    wait_until(lambda: idle_messages(breakable) >= before + len(work.jobs), "messages of ended jobs were looked at")
    require_done_once(breakable, calls, work)
    for job_id in work.jobs:
        assert breakable.database.jobs.get(job_id).token == 1, "claimed once"


def idle_messages(deployment: Deployment) -> int:
    """How many messages the workers have found nothing to do for."""
    logs = [deployment.log(f"worker-{index}") for index in range(len(deployment.workers))]
    return sum(log.count("there is nothing to do for this message") for log in logs)


def holder(deployment: Deployment, job_id: str) -> tuple[int, int]:
    """Which worker is in the middle of a job, by the name in the job's row, and the child of it that computes."""
    running(deployment.calls, job_id)
    name = deployment.database.jobs.get(job_id).worker
    assert name is not None
    index = int(name.partition("@")[0].removeprefix("worker-"))
    (child,) = children(deployment.worker(index).pid)
    return index, child
