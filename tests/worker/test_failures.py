"""What is raised out of a job ends in a final state and a reason, or in another attempt; the worker lives on."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import torch
from celery.exceptions import SoftTimeLimitExceeded

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.requests import DeformationRequest, NothingRequest, ProjectRequest
from eigenwarp.settings import Settings
from eigenwarp.stores.database import open_database
from eigenwarp.stores.database.engine import LOCK_SECONDS
from eigenwarp.stores.events import EventStream
from eigenwarp.stores.objects import FolderStore
from tests.servers.ports import free_port
from tests.tiny_bundle import blob
from tests.worker.deployment import Deployment, make_deployment
from tests.worker.meddling import AwayStore, MeddlingEvents
from worker.engine import Engine
from worker.failures import is_out_of_memory
from worker.runner import JobRunner
from worker.workplace import Workplace

ROOT = Path(__file__).parents[2]
IMAGE = blob(1)[0]


class DefectiveEngine(Engine):
    """Raises what should not be raised."""

    def __init__(self, error: BaseException) -> None:
        super().__init__("cpu")
        self.error = error

    def pinned(self, reference: ModelReference, fetch: Callable[[ModelReference], Path]) -> object:
        raise self.error


def defective(deployment: Deployment, error: BaseException) -> Deployment:
    return replace(deployment, place=replace(deployment.place, engine=DefectiveEngine(error)))


def away(settings: Settings, bundle: Path, **values: object) -> tuple[Deployment, AwayStore]:
    store = AwayStore(settings.objects_folder)
    return make_deployment(settings.model_copy(update=values), bundle, store), store


def test_a_defect_is_tried_again_and_then_told_without_its_text(deployment: Deployment) -> None:
    broken = defective(deployment, KeyError("Jane Doe"))
    job_id = deployment.submit(DeformationRequest(component=1, scale=1.0))
    for attempt in (1, 2, 3):
        assert deployment.job(job_id).state == "queued"
        JobRunner(broken.place).run(job_id, "here")
        assert deployment.job(job_id).attempt == attempt
    job = deployment.job(job_id)
    assert job.state == "failed"
    assert job.problem is not None
    assert (job.problem.type, job.problem.status, job.problem.instance) == ("/problems/internal", 500, job_id)
    assert "Jane" not in job.problem.model_dump_json()
    assert "Traceback" not in job.problem.model_dump_json()


def test_a_defect_of_the_moment_costs_an_attempt(deployment: Deployment) -> None:
    job_id = deployment.submit(DeformationRequest(component=1, scale=1.0))
    JobRunner(defective(deployment, RuntimeError("a moment's")).place).run(job_id, "here")
    JobRunner(deployment.place).run(job_id, "here")
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("succeeded", 2)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory: you tried to …"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_every_way_of_running_out_of_memory_is_known(deployment: Deployment, error: BaseException) -> None:
    assert is_out_of_memory(error)
    job = defective(deployment, error).run(DeformationRequest(component=1, scale=1.0))
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.problem is not None
    assert job.problem.type == "/problems/out-of-memory"


def test_out_of_memory_empties_what_is_remembered(deployment: Deployment) -> None:
    volume = deployment.upload(IMAGE)
    deployment.run(ProjectRequest(volume=volume), [volume])
    memory = deployment.place.memory
    assert memory.images.bytes > 0
    assert memory.codes.bytes > 0
    defective(deployment, MemoryError()).run(DeformationRequest(component=1, scale=1.0))
    assert memory.images.bytes == memory.codes.bytes == 0


def test_a_real_lack_of_memory_fails_one_job_and_not_the_worker(
    settings: Settings, tiny_bundle: Path, tmp_path: Path
) -> None:
    """In a process whose address space ends soon after what it has once it is warm."""
    script = [sys.executable, "-m", "tests.worker.short_of_memory", settings.home, tiny_bundle]
    environment = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["succeeded", "-", "failed", "/problems/out-of-memory", "succeeded", "-"]


def test_a_device_that_has_failed_for_good_is_not_used_again(deployment: Deployment) -> None:
    """After an illegal access every call to CUDA fails in that process, and another job's attempts would go with it."""
    job_id = deployment.submit(DeformationRequest(component=1, scale=1.0))
    runner = JobRunner(
        defective(deployment, RuntimeError("CUDA error: an illegal memory access was encountered")).place
    )
    runner.run(job_id, "here")
    assert runner.is_spent
    assert deployment.job(job_id).state == "queued"
    runner = JobRunner(deployment.place)
    runner.run(job_id, "here")
    assert not runner.is_spent
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("succeeded", 2)


def test_celerys_own_time_limit_is_told_as_ours(deployment: Deployment) -> None:
    job = defective(deployment, SoftTimeLimitExceeded(600)).run(DeformationRequest(component=1, scale=1.0))
    assert job.state == "failed"
    assert job.problem is not None
    assert job.problem.type == "/problems/time-limit"


@pytest.mark.parametrize("prefix", ["volumes/", "jobs/"])
def test_a_job_waits_for_a_store_that_comes_back(settings: Settings, tiny_bundle: Path, prefix: str) -> None:
    deployment, store = away(settings, tiny_bundle)
    volume = deployment.upload(IMAGE)
    store.away, store.prefix = 4, prefix
    job = deployment.run(ProjectRequest(volume=volume), [volume])
    assert store.away == 0
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert deployment.result(job, "coefficients")
    deployment.place.close()


def test_a_store_that_stays_away_costs_attempts_and_then_the_job_says_so(settings: Settings, tiny_bundle: Path) -> None:
    deployment, store = away(settings, tiny_bundle, job_seconds=0.3)
    volume = deployment.upload(IMAGE)
    job_id = deployment.submit(ProjectRequest(volume=volume), [volume])
    store.away, store.prefix = 1_000_000, "volumes/"
    for attempt in (1, 2, 3):
        assert deployment.job(job_id).state == "queued"
        JobRunner(deployment.place).run(job_id, "here")
        assert deployment.job(job_id).attempt == attempt
    job = deployment.job(job_id)
    assert job.state == "failed"
    assert job.problem is not None
    assert job.problem.type == "/problems/store-unavailable"
    deployment.place.close()


def test_the_model_is_fetched_once_its_store_is_back(settings: Settings, tiny_bundle: Path) -> None:
    deployment, store = away(settings, tiny_bundle)
    store.away, store.prefix = 3, "models/"
    assert deployment.run(DeformationRequest(component=1, scale=1.0)).state == "succeeded"
    deployment.place.close()


def test_codes_that_cannot_be_looked_up_or_kept_are_computed_all_the_same(
    settings: Settings, tiny_bundle: Path
) -> None:
    deployment, store = away(settings, tiny_bundle)
    volume = deployment.upload(IMAGE)
    store.away, store.prefix = 1_000_000, "codes/"
    assert deployment.run(ProjectRequest(volume=volume), [volume]).state == "succeeded"
    assert deployment.keys("codes/") == []
    deployment.place.close()


def test_a_database_that_is_blocked_at_the_commit_loses_nothing(deployment: Deployment) -> None:
    """Another process holds SQLite's lock for longer than SQLite itself waits."""
    file = deployment.place.settings.home / "eigenwarp.sqlite3"
    unblocked: list[float] = []

    def block(_: str) -> None:
        blocker = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        blocker.execute("BEGIN IMMEDIATE")

        def end() -> None:
            time.sleep(LOCK_SECONDS + 2)
            blocker.execute("ROLLBACK")
            blocker.close()
            unblocked.append(time.monotonic())

        Thread(target=end).start()

    events = MeddlingEvents(deployment.place.settings.redis_url.get_secret_value(), "encode", block)
    volume = deployment.upload(IMAGE)
    job_id = deployment.submit(ProjectRequest(volume=volume), [volume])
    JobRunner(replace(deployment.place, events=events)).run(job_id, "here")
    assert unblocked
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("succeeded", 1)


def test_an_event_stream_that_is_away_costs_nothing(settings: Settings, tiny_bundle: Path) -> None:
    deployment = make_deployment(settings, tiny_bundle)
    nowhere = EventStream(f"redis://127.0.0.1:{free_port()}/0")
    job = replace(deployment, place=replace(deployment.place, events=nowhere)).run(NothingRequest())
    assert job.state == "succeeded"
    deployment.place.close()


def test_a_claim_that_cannot_be_made_leaves_the_job_queued(settings: Settings, tiny_bundle: Path) -> None:
    deployment = make_deployment(settings.model_copy(update={"lease_seconds": 0.5}), tiny_bundle)
    job_id = deployment.submit(NothingRequest())
    with pytest.raises(StoreUnavailableError):
        unreachable(deployment).database.jobs.claim(job_id, "here", 1, 3)
    JobRunner(unreachable(deployment)).run(job_id, "here")
    assert (deployment.job(job_id).state, deployment.job(job_id).attempt) == ("queued", 0)
    deployment.place.close()


def unreachable(deployment: Deployment) -> Workplace:
    """The same place, with a database that nobody listens for."""
    database = open_database(f"postgresql+psycopg://nobody:none@127.0.0.1:{free_port()}/none")
    return replace(deployment.place, database=database)


def test_a_volume_whose_bytes_are_gone_fails_the_job_at_once(deployment: Deployment) -> None:
    volume = deployment.upload(IMAGE)
    store = deployment.place.objects
    assert isinstance(store, FolderStore)
    store.delete_prefix("volumes/")
    job = deployment.run(ProjectRequest(volume=volume), [volume])
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.problem is not None
    assert job.problem.type == "/problems/object-unknown"
