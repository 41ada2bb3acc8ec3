"""A disk that is full: what was accepted waits for room, and what cannot be kept is refused."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eigenwarp.stores.database import open_database
from eigenwarp.volume.nifti import volume_to_bytes
from tests.integration.deployment import Deployment
from tests.integration.http_calls import problem_code
from tests.integration.tiny_disk import TinyDisks, tiny_disks
from tests.integration.work import (
    Volumes,
    Work,
    require_one_set_of_results,
    require_succeeded,
    running,
    submit_work,
)
from tests.servers.processes import wait_until
from tests.servers.redis import running_redis
from tests.tiny_bundle import blob


@dataclass(frozen=True)
class Confined:
    """A deployment whose data folder, and in it the objects, lie on small file systems."""

    deployment: Deployment
    disks: TinyDisks
    home: Path
    objects: Path


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Confined]:
    folder = tmp_path_factory.mktemp("confined")
    home, objects = folder / "home", folder / "home" / "objects"
    (folder / "redis").mkdir()
    settings = {"DEFAULT_MODEL": "tiny", "LEASE_SECONDS": 2, "RECOVERY_SECONDS": 0.5}
    with (
        tiny_disks(folder / "mounts.log", {home: 48, objects: 16}) as disks,
        running_redis(folder / "redis") as redis,
        Deployment(folder, redis, settings=settings, within=disks.within) as deployment,
    ):
        deployment.start(tiny)
        yield Confined(deployment, disks, home, objects)


def test_results_wait_for_room(confined: Confined) -> None:
    """The objects' disk is full while the database's is not."""
    calls = confined.deployment.calls
    work = submit_work(calls, "objects-full", registrations=1, projections=4)
    running(calls, work.registrations[0])
    confined.disks.fill(confined.objects)
    held = _files(confined)
    refused = calls.http.post("/volumes", files={"file": ("volume.nii.gz", volume_to_bytes(blob(77)[0]))})
    assert (refused.status_code, problem_code(refused)) == (503, "store-unavailable")
    wait_until(lambda: "waiting for a store" in confined.deployment.log("worker-0"), "the worker meets the full disk")
    assert calls.job(work.registrations[0]).state in ("queued", "running")
    assert _files(confined) == held, "nothing is left of what did not fit"
    confined.disks.free(confined.objects)
    _require_done_once(confined, work)


def test_jobs_wait_for_a_database_that_can_be_written(confined: Confined) -> None:
    """The whole data folder's disk is full: database, objects, spool."""
    calls = confined.deployment.calls
    volumes = Volumes(calls)
    work = submit_work(calls, "home-full", registrations=1, projections=4)
    running(calls, work.registrations[0])
    confined.disks.fill(confined.home)
    refused = calls.http.post("/register", json=volumes.registration())
    assert (refused.status_code, problem_code(refused)) == (503, "store-unavailable")
    assert calls.http.get("/healthz").status_code == 200
    time.sleep(4)
    confined.disks.free(confined.home)
    _require_done_once(confined, work)
    taken = calls.http.post("/register", json=volumes.registration({}))
    assert taken.status_code == 202, "as before"


def _require_done_once(confined: Confined, work: Work) -> None:
    require_succeeded(confined.deployment.calls, work)
    # SQLite follows the link into the other namespace, and so finds nothing there.
    with tempfile.TemporaryDirectory() as folder:
        for file in confined.disks.seen(confined.home).glob("*.sqlite3*"):
            shutil.copy(file, folder)
        database = open_database(f"sqlite:///{folder}/eigenwarp.sqlite3")
        try:
            require_one_set_of_results(database, work)
        finally:
            database.close()


def _files(confined: Confined) -> set[str]:
    """What lies on the objects' disk."""
    root = confined.disks.seen(confined.objects)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
