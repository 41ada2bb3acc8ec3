"""A worker in a process that has little memory left: a small job, one that needs too much, a small one again."""

import resource
import sys
from pathlib import Path

import numpy as np

from eigenwarp.log import configure_logging
from eigenwarp.schemas.requests import RegisterRequest
from eigenwarp.settings import load_settings
from eigenwarp.volume import Geometry, Volume
from tests.tiny_bundle import blob
from tests.worker.deployment import Deployment, make_deployment

_SPARE_BYTES = 300 * 2**20
_LARGE = (280, 280, 280)


def main(home: Path, bundle: Path) -> None:
    settings = load_settings(
        {}, home=home, device="cpu", default_model="tiny", redis_url="redis://127.0.0.1:1/0", lease_seconds=60
    )
    configure_logging(settings)
    deployment = make_deployment(settings, bundle)
    small = [deployment.upload(blob(seed)[0]) for seed in (1, 2)]
    noise = np.random.default_rng(0).random(_LARGE, dtype=np.float32)
    large = deployment.upload(Volume(noise, Geometry(_LARGE, np.eye(4))))
    del noise
    report(deployment, small[0], small[1])
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _SPARE_BYTES, resource.RLIM_INFINITY))
    report(deployment, small[0], large)
    report(deployment, small[0], small[1])


def report(deployment: Deployment, moving: str, fixed: str) -> None:
    job = deployment.run(RegisterRequest(moving=moving, fixed=fixed), [moving, fixed])
    sys.stdout.write(f"{job.state} {job.problem.type if job.problem else '-'}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
