"""One job, many messages: it is done once, by whoever holds it, or ends as it was asked to."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from eigenwarp.schemas.requests import NothingRequest, ProjectRequest, RegisterRequest
from eigenwarp.settings import Settings
from tests.servers.processes import wait_until
from tests.tiny_bundle import blob
from tests.worker.deployment import Deployment, make_deployment
from tests.worker.meddling import MeddlingEvents, MeddlingStore
from worker.lease import Lease
from worker.runner import JobRunner

MOVING, FIXED = blob(1)[0], blob(2)[0]
LONG_AGO = timedelta(hours=1)


def registration(deployment: Deployment) -> tuple[RegisterRequest, list[str]]:
    volumes = [deployment.upload(MOVING), deployment.upload(FIXED)]
    return RegisterRequest(moving=volumes[0], fixed=volumes[1]), volumes


def meddled(deployment: Deployment, stage: str, do: object) -> Deployment:
    """The same deployment, where something happens once a job begins a stage."""
    events = MeddlingEvents(deployment.place.settings.redis_url.get_secret_value(), stage, do)
    return replace(deployment, place=replace(deployment.place, events=events))


@contextmanager
def in_a_thread(deployment: Deployment, job_id: str) -> Iterator[None]:
    """A worker is at the job."""
    thread = Thread(target=JobRunner(deployment.place).run, args=(job_id, "thread"))
    thread.start()
    try:
        wait_until(lambda: deployment.job(job_id).state == "running", "the job is running")
        yield
    finally:
        thread.join()


def take_over(deployment: Deployment, job_id: str) -> None:
    """As another worker does, an hour later."""
    claim = deployment.place.database.jobs.claim(job_id, "other", 7200, 3, now=datetime.now(UTC) + LONG_AGO)
    assert claim is not None


def test_a_second_delivery_of_a_finished_job_does_nothing(deployment: Deployment) -> None:
    job = deployment.run(*registration(deployment))
    events, objects = deployment.events(job.id), deployment.keys("jobs/")
    JobRunner(deployment.place).run(job.id, "again")
    assert deployment.job(job.id) == job
    assert deployment.events(job.id) == events
    assert deployment.keys("jobs/") == objects


def test_a_second_delivery_of_a_job_that_another_worker_holds_does_nothing(deployment: Deployment) -> None:
    job_id = deployment.submit(NothingRequest())
    assert deployment.place.database.jobs.claim(job_id, "other", 60, 3) is not None
    held = deployment.job(job_id)
    JobRunner(deployment.place).run(job_id, "again")
    assert deployment.job(job_id) == held


def test_a_message_for_a_job_that_is_gone_does_nothing(deployment: Deployment) -> None:
    JobRunner(deployment.place).run("job_" + "0" * 32, "here")
    assert deployment.keys("jobs/") == []


def test_a_job_that_was_cancelled_while_it_waited_is_not_begun(deployment: Deployment) -> None:
    job_id = deployment.submit(NothingRequest())
    deployment.place.database.jobs.request_cancel(job_id)
    JobRunner(deployment.place).run(job_id, "here")
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("cancelled", 0)


@pytest.mark.parametrize("stage", ["load", "encode", "decode", "field", "invert", "warp", "measure", "write"])
def test_a_job_that_is_cancelled_during_a_stage_ends_cancelled(deployment: Deployment, stage: str) -> None:
    cancelling = meddled(deployment, stage, deployment.place.database.jobs.request_cancel)
    job = cancelling.run(*registration(deployment))
    assert (job.state, job.problem, job.artefacts) == ("cancelled", None, ())
    assert deployment.keys(f"jobs/{job.id}/{job.token}/") == []
    assert deployment.events(job.id)[-1].state == "cancelled"


def test_a_long_job_hears_of_its_cancellation_soon(deployment: Deployment) -> None:
    job_id = deployment.submit(NothingRequest(seconds=60))
    with in_a_thread(deployment, job_id):
        deployment.place.database.jobs.request_cancel(job_id)
        wait_until(lambda: deployment.job(job_id).state == "cancelled", "the job is cancelled", 30)


@pytest.mark.parametrize("stage", ["encode", "measure"])
def test_a_job_that_another_worker_took_over_is_left_to_it(deployment: Deployment, stage: str) -> None:
    meddling = meddled(deployment, stage, lambda job_id: take_over(deployment, job_id))
    job = meddling.run(*registration(deployment))
    assert (job.state, job.worker, job.token, job.artefacts) == ("running", "other", 2, ())
    assert deployment.keys("jobs/") == []


def test_a_commit_after_the_lease_was_lost_is_refused_and_its_files_go(settings: Settings, tiny_bundle: Path) -> None:
    objects = MeddlingStore(settings.objects_folder)
    deployment = make_deployment(settings, tiny_bundle, objects)
    job_id = deployment.submit(*registration(deployment))
    objects.do = lambda: take_over(deployment, job_id)
    JobRunner(deployment.place).run(job_id, "here")
    job = deployment.job(job_id)
    assert (job.state, job.worker, job.token) == ("running", "other", 2)
    assert deployment.keys("jobs/") == []
    deployment.place.close()


def test_a_lease_is_renewed_for_as_long_as_the_job_takes(deployment: Deployment) -> None:
    job_id = deployment.submit(NothingRequest(seconds=3 * deployment.place.settings.lease_seconds))
    with in_a_thread(deployment, job_id):
        while deployment.job(job_id).state == "running":
            assert deployment.place.database.jobs.expire_leases(3) == []
            time.sleep(0.05)
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("succeeded", 1)


def test_progress_of_a_long_job_is_in_its_row(deployment: Deployment) -> None:
    job_id = deployment.submit(NothingRequest(seconds=5))
    with in_a_thread(deployment, job_id):

        def half_way() -> bool:
            progress = deployment.job(job_id).progress
            return progress is not None and progress.stage == "hold" and progress.fraction > 0.25

        wait_until(half_way, "the row tells how far the job is", 30)


def test_a_job_over_its_time_fails_with_the_limit(settings: Settings, tiny_bundle: Path) -> None:
    deployment = make_deployment(settings.model_copy(update={"job_seconds": 0.5}), tiny_bundle)
    job = deployment.run(NothingRequest(seconds=60))
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.problem is not None
    assert job.problem.type == "/problems/time-limit"
    assert "0.5 s" in job.problem.detail
    deployment.place.close()


def test_a_job_that_hangs_is_ended_in_its_stead(settings: Settings, tiny_bundle: Path) -> None:
    """Its own thread is inside a call that does not return, and never asks the lease."""
    hasty = settings.model_copy(update={"job_seconds": 0.1, "lease_seconds": 0.5})
    deployment = make_deployment(hasty, tiny_bundle)
    job_id = deployment.submit(NothingRequest())
    claim = deployment.place.database.jobs.claim(job_id, "here", 60, 3)
    assert claim is not None
    with Lease(deployment.place.database.jobs, claim, hasty, grace_seconds=0.1):
        wait_until(lambda: deployment.job(job_id).state == "failed", "the job has failed", 30)
    problem = deployment.job(job_id).problem
    assert problem is not None
    assert problem.type == "/problems/time-limit"
    deployment.place.close()


@pytest.mark.parametrize("kind", ["nothing", "project"])
def test_a_worker_told_to_stop_gives_its_job_back_unharmed(deployment: Deployment, kind: str) -> None:
    volume = deployment.upload(MOVING)
    if kind == "nothing":
        job_id = deployment.submit(NothingRequest(seconds=60))
        signal.signal(signal.SIGALRM, lambda *_: deployment.place.stopping.request())
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        JobRunner(deployment.place).run(job_id, "here")
    else:
        job_id = deployment.submit(ProjectRequest(volume=volume), [volume])
        stopping = meddled(deployment, "encode", lambda _: deployment.place.stopping.request())
        JobRunner(stopping.place).run(job_id, "here")
    job = deployment.job(job_id)
    assert (job.state, job.attempt, job.problem) == ("queued", 0, None)
    assert deployment.keys("jobs/") == []
    if kind == "project":
        place = make_deployment_again(deployment)
        JobRunner(place.place).run(job_id, "another")
        assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("succeeded", 1)
        place.place.close()


def make_deployment_again(deployment: Deployment) -> Deployment:
    """Another worker over the same stores."""
    return replace(deployment, place=type(deployment.place).open(deployment.place.settings))


def test_a_stopping_worker_does_not_break_off_a_commit(settings: Settings, tiny_bundle: Path) -> None:
    objects = MeddlingStore(settings.objects_folder)
    deployment = make_deployment(settings, tiny_bundle, objects)
    volume = deployment.upload(MOVING)
    objects.do = deployment.place.stopping.request
    job = deployment.run(ProjectRequest(volume=volume), [volume])
    assert job.state == "succeeded"
    deployment.place.close()
