"""Work to be disturbed, and what must hold of it afterwards: nothing lost, nothing done twice."""

from dataclasses import dataclass, field

from eigenwarp.schemas.requests import NothingRequest
from eigenwarp.stores.database import Database
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from tests.integration.deployment import Deployment
from tests.integration.http_calls import HttpCalls
from tests.servers.processes import wait_until
from tests.tiny_bundle import blob

# More than a second of work, so that it can be disturbed in the middle.
LONG = {"refine": "latent"}
ENDED_SECONDS = 90.0


@dataclass
class Work:
    """Jobs that the service has accepted.

    Args:
        registrations: each takes some seconds, and leaves five files.
        projections: by the subject, one for each, into whose history it goes.
    """

    registrations: list[str] = field(default_factory=list)
    projections: dict[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> list[str]:
        """All ids."""
        return [*self.registrations, *self.projections.values()]


class Volumes:
    """A tiny pair and its labels, held by a service."""

    def __init__(self, calls: HttpCalls) -> None:
        self.moving, self.fixed = (calls.upload(volume_to_bytes(blob(seed)[0])) for seed in (1, 2))
        self.labels = calls.upload(segmentation_to_bytes(blob(1)[1]), "segmentation")

    def registration(self, options: object = LONG) -> dict[str, object]:
        """A submission's body."""
        pair = {"moving": self.moving, "fixed": self.fixed, "moving_segmentation": self.labels}
        return {**pair, "options": options}


def submit_work(calls: HttpCalls, name: str, registrations: int = 2, projections: int = 6) -> Work:
    """Some long jobs, then some short ones.

    Args:
        name: of the subjects, different for each call.
    """
    volumes, work = Volumes(calls), Work()
    for _ in range(registrations):
        work.registrations.append(calls.submit("/register", volumes.registration()))
    for number in range(projections):
        subject = f"{name}-{number}"
        work.projections[subject] = calls.submit("/project", {"volume": volumes.moving, "subject": subject})
    return work


def require_done_once(deployment: Deployment, calls: HttpCalls, work: Work) -> None:
    """Every job has succeeded, with one set of results of one attempt, and one row in its subject's history."""
    require_succeeded(calls, work)
    require_one_set_of_results(deployment.database, work)


def require_succeeded(calls: HttpCalls, work: Work) -> None:
    """Every job has succeeded, all its results can be had, and each projection is in its subject's history once."""
    for job_id in work.jobs:
        row = calls.succeeded(job_id, ENDED_SECONDS)
        assert row.results
        for result in row.results:
            calls.result(row, result.name)
    for subject, job_id in work.projections.items():
        rows = calls.http.get(f"/subjects/{subject}/coefficients").json()["rows"]
        assert [row["job"] for row in rows] == [job_id]


def require_one_set_of_results(database: Database, work: Work) -> None:
    """What is kept of each job is of its last attempt alone."""
    for job_id in work.jobs:
        record = database.jobs.get(job_id)
        assert record.attempt <= record.token
        keys = [artefact.key for artefact in record.artefacts]
        assert keys
        assert all(key.startswith(f"jobs/{job_id}/{record.token}/") for key in keys), keys


def running(calls: HttpCalls, job_id: str) -> None:
    """Returns once a worker is in the middle of a job."""

    def found() -> bool:
        row = calls.job(job_id)
        assert row.state in ("queued", "running"), f"{job_id} was over too soon: {row.state}"
        return row.state == "running"

    wait_until(found, f"{job_id} is running")


def hold_a_worker(deployment: Deployment, seconds: float) -> str:
    """A job that computes nothing for so long; it is not offered over HTTP."""
    request = NothingRequest(seconds=seconds)
    job, _ = deployment.database.jobs.submit(
        request,
        model=None,
        caller="tests",
        volumes=(),
        subject=None,
        idempotency_key=None,
        request_hash=None,
        max_queued=1000,
    )
    deployment.queue.send(job.id)
    return job.id
