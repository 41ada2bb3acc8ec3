"""The worker as it is started in earnest: a process of its own that takes messages from a real queue."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eigenwarp.queue import JobQueue
from eigenwarp.queue.recovery import recover
from eigenwarp.schemas.requests import NothingRequest, RegisterRequest
from eigenwarp.settings import Settings, load_settings
from tests.servers.processes import Running, wait_until
from tests.servers.redis import RedisServer
from tests.tiny_bundle import blob
from tests.worker.deployment import Deployment, make_deployment

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "eigenwarp_cli"]
StartWorker = Callable[..., Running]


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer) -> Settings:
    """Its own Redis: what one test leaves in the queue is not another's."""
    return load_settings(
        {}, home=tmp_path / "home", redis_url=redis_server.url, device="cpu", lease_seconds=2, default_model="tiny"
    )


@pytest.fixture
def deployment(settings: Settings, tiny_bundle: Path) -> Iterator[Deployment]:
    made = make_deployment(settings, tiny_bundle)
    yield made
    made.place.close()


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    opened = JobQueue(settings)
    yield opened
    opened.close()


def environment(settings: Settings, **values: object) -> dict[str, str]:
    own = {
        "home": settings.home,
        "redis_url": settings.redis_url.get_secret_value(),
        "device": "cpu",
        "lease_seconds": settings.lease_seconds,
        "default_model": "tiny",
        **values,
    }
    return {f"EIGENWARP_{name.upper()}": str(value) for name, value in own.items()} | {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def start_worker(tmp_path: Path, settings: Settings) -> Iterator[StartWorker]:
    """Starts ``eigenwarp worker``; arguments are settings."""
    started: list[Running] = []

    def start(**values: object) -> Running:
        log = tmp_path / f"worker-{len(started)}.log"
        command = [*PROGRAM, "worker", "--name", f"worker-{len(started)}"]
        started.append(Running(command, log, environment(settings, **values), ROOT))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


def check(settings: Settings, folder: Path, name: str = "worker-0") -> int:
    """The exit code of the probe."""
    command = [*PROGRAM, "worker", "--check", "--name", name]
    return Running(command, folder / "check.log", environment(settings), ROOT).wait()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def submit_nothing(deployment: Deployment, queue: JobQueue, seconds: float) -> str:
    job_id = deployment.submit(NothingRequest(seconds=seconds))
    queue.send(job_id)
    return job_id


def wait_for(deployment: Deployment, job_id: str, state: str, worker: Running) -> None:
    worker.wait_until(lambda: deployment.job(job_id).state == state, f"{job_id} is {state}")


def test_jobs_are_taken_computed_and_acknowledged(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker, settings: Settings, tmp_path: Path
) -> None:
    assert check(settings, tmp_path) == 1
    worker = start_worker()
    moving, fixed = (deployment.upload(blob(seed)[0]) for seed in (1, 2))
    job_id = deployment.submit(RegisterRequest(moving=moving, fixed=fixed), [moving, fixed])
    queue.send(job_id)
    wait_for(deployment, job_id, "succeeded", worker)
    job = deployment.job(job_id)
    assert len(job.artefacts) == 6
    assert job.worker is not None
    assert job.worker.startswith("worker-0@")
    worker.wait_until(lambda: queue.depth() == 0, "the message is acknowledged")
    assert check(settings, tmp_path) == 0
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    assert check(settings, tmp_path) == 1


def test_torch_is_loaded_in_the_child_alone(deployment: Deployment, queue: JobQueue, start_worker: StartWorker) -> None:
    """CUDA survives no fork, and what is not loaded cannot be initialised."""
    worker = start_worker()
    job_id = submit_nothing(deployment, queue, 0)
    wait_for(deployment, job_id, "succeeded", worker)
    (child,) = children(worker.pid)
    assert "libtorch" in Path(f"/proc/{child}/maps").read_text()
    assert "libtorch" not in Path(f"/proc/{worker.pid}/maps").read_text()


def test_a_killed_child_costs_one_attempt(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker, settings: Settings
) -> None:
    worker = start_worker()
    job_id = submit_nothing(deployment, queue, 4)
    wait_for(deployment, job_id, "running", worker)
    (child,) = children(worker.pid)
    os.kill(child, signal.SIGKILL)

    def done() -> bool:
        recover(deployment.place.database, queue, deployment.place.objects, settings)
        return deployment.job(job_id).state == "succeeded"

    worker.wait_until(done, "another child has done the job")
    assert deployment.job(job_id).attempt == 2
    worker.wait_until(lambda: queue.depth() == 0, "all messages are acknowledged")


def test_a_child_that_ends_between_two_jobs_is_replaced(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker
) -> None:
    worker = start_worker()
    wait_for(deployment, submit_nothing(deployment, queue, 0), "succeeded", worker)
    (child,) = children(worker.pid)
    os.kill(child, signal.SIGTERM)
    worker.wait_until(lambda: children(worker.pid) not in ([], [child]), "there is another child")
    job_id = submit_nothing(deployment, queue, 0)
    wait_for(deployment, job_id, "succeeded", worker)
    assert deployment.job(job_id).attempt == 1


def test_a_job_that_kills_its_worker_each_time_fails_and_says_so(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker, settings: Settings
) -> None:
    twice = settings.model_copy(update={"max_attempts": 2})
    worker = start_worker(max_attempts=2)
    job_id = submit_nothing(deployment, queue, 30)
    for attempt in (1, 2):

        def running(attempt: int = attempt) -> bool:
            recover(deployment.place.database, queue, deployment.place.objects, twice)
            job = deployment.job(job_id)
            return job.state == "running" and job.attempt == attempt

        worker.wait_until(running, f"attempt {attempt} has begun")
        for child in children(worker.pid):
            os.kill(child, signal.SIGKILL)

    def failed() -> bool:
        recover(deployment.place.database, queue, deployment.place.objects, twice)
        return deployment.job(job_id).state == "failed"

    worker.wait_until(failed, "the job has failed")
    problem = deployment.job(job_id).problem
    assert problem is not None
    assert problem.type == "/problems/attempts-exhausted"


def test_told_to_stop_a_worker_ends_its_job_first(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker
) -> None:
    worker = start_worker(shutdown_seconds=60)
    job_id = submit_nothing(deployment, queue, 3)
    later = submit_nothing(deployment, queue, 0)
    wait_for(deployment, job_id, "running", worker)
    worker.send(signal.SIGTERM)
    assert worker.wait(50) == 0
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("succeeded", 1)
    assert (deployment.job(later).state, deployment.job(later).attempt) == ("queued", 0)
    assert queue.depth() == 1


def test_told_to_stop_a_worker_gives_a_long_job_back_and_another_does_it(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker, settings: Settings
) -> None:
    worker = start_worker(shutdown_seconds=0.5)
    job_id = submit_nothing(deployment, queue, 20)
    wait_for(deployment, job_id, "running", worker)
    worker.send(signal.SIGTERM)
    worker.wait()
    job = deployment.job(job_id)
    assert (job.state, job.attempt) == ("queued", 0), worker.output()[-3000:]
    another = start_worker()

    def taken() -> bool:
        recover(deployment.place.database, queue, deployment.place.objects, settings)
        return deployment.job(job_id).state == "running"

    another.wait_until(taken, "another worker has the job")
    assert deployment.job(job_id).attempt == 1
    deployment.place.database.jobs.request_cancel(job_id)
    wait_for(deployment, job_id, "cancelled", another)


def test_an_idle_worker_stops_at_once(deployment: Deployment, queue: JobQueue, start_worker: StartWorker) -> None:
    worker = start_worker()
    wait_for(deployment, submit_nothing(deployment, queue, 0), "succeeded", worker)
    worker.send(signal.SIGINT)
    assert worker.wait(20) == 0


def test_a_worker_that_no_longer_runs_is_not_taken_for_alive(
    deployment: Deployment, queue: JobQueue, start_worker: StartWorker, settings: Settings
) -> None:
    """Frozen, it is there and does nothing: the file that its loop touches grows old."""
    worker = start_worker()
    wait_for(deployment, submit_nothing(deployment, queue, 0), "succeeded", worker)
    (file,) = (settings.cache_folder / "workers").iterdir()
    first = file.stat().st_mtime
    wait_until(lambda: file.stat().st_mtime > first, "the heart beats")
    worker.send(signal.SIGSTOP)
    os.utime(file, (first, first - 3600))
    assert check(settings, settings.home) == 1
    worker.send(signal.SIGCONT)
    wait_until(lambda: check(settings, settings.home) == 0, "the heart beats again")
