"""A worker's memory does not grow with the number of its jobs. ``make bench`` runs a thousand of each kind."""

import resource
from itertools import cycle, islice
from pathlib import Path

from eigenwarp.schemas.requests import NothingRequest, RegisterRequest
from tests.tiny_bundle import blob
from tests.worker.deployment import Deployment
from worker.runner import JobRunner

_ALLOWED_BYTES = 8 * 2**20


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_jobs_that_compute_nothing_leave_nothing(deployment: Deployment) -> None:
    runner = JobRunner(deployment.place)

    def run(count: int) -> None:
        for _ in range(count):
            runner.run(deployment.submit(NothingRequest()), "here")

    run(20)
    before = resident()
    run(200)
    assert resident() - before < _ALLOWED_BYTES


def test_registrations_leave_nothing(deployment: Deployment) -> None:
    runner = JobRunner(deployment.place)
    pairs = cycle([(deployment.upload(blob(seed)[0]), deployment.upload(blob(seed + 1)[0])) for seed in range(8)])

    def run(count: int) -> None:
        for moving, fixed in islice(pairs, count):
            runner.run(deployment.submit(RegisterRequest(moving=moving, fixed=fixed), [moving, fixed]), "here")

    run(30)
    before = resident()
    run(90)
    assert resident() - before < _ALLOWED_BYTES
