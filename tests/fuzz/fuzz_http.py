"""Calls made up from the interface's own description: no defect, and no answer that the description does not declare.

schemathesis makes them, with every check that it has, against a web server and a worker of their own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from eigenwarp.schemas.access import Scope
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from tests.fuzz import http_hooks
from tests.integration.deployment import Deployment
from tests.servers.redis import running_redis
from tests.tiny_bundle import blob, write_tiny_bundle

REPOSITORY = Path(__file__).resolve().parents[2]
_CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@contextmanager
def fuzzed_deployment(folder: Path) -> Iterator[Deployment]:
    """One web server and one worker on one machine, with the tiny model."""
    (folder / "redis").mkdir()
    settings = {
        "DEFAULT_MODEL": "tiny",
        "MAX_UPLOAD_BYTES": 2**22,
        "MAX_VOXELS": 2**18,
        "MAX_QUEUED_JOBS": 200,
        # A made-up key must meet the check of keys, not the limit on those that fail.
        "FAILURES_PER_MINUTE": 1_000_000,
    }
    with (
        running_redis(folder / "redis") as redis,
        Deployment(folder, redis, settings=settings) as deployment,
    ):
        deployment.start(write_tiny_bundle(folder / "tiny"))
        yield deployment


def fuzz(deployment: Deployment, reports: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis to its end; its exit status is 0 where every check held.

    Args:
        reports: folder for what it writes.
        options: of ``schemathesis run``.
    """
    program = Path(sys.executable).parent / "schemathesis"
    known = _known_values(deployment)
    key = deployment.folder / "fuzz.key"
    scopes = (f"--scope={scope}" for scope in get_args(Scope))
    deployment.run("keys", "create", "--name", "fuzz", "--out", str(key), *scopes)
    command = [program, "--no-color", "--config-file", _CONFIGURATION, "run", f"{deployment.url}/openapi.json"]
    return subprocess.run(
        [*command, "--checks", "all", "--report", "ndjson", "--report-dir", str(reports), *options],
        env={
            **os.environ,
            **known,
            "EIGENWARP_FUZZ_KEY": key.read_text().strip(),
            "SCHEMATHESIS_HOOKS": http_hooks.__name__,
            "PYTHONPATH": str(REPOSITORY),
        },
        # It keeps a folder of its own where it is started.
        cwd=reports,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _known_values(deployment: Deployment) -> Mapping[str, str]:
    """Ids of what exists, without which every made-up id is unknown and nothing behind that is reached."""
    calls = deployment.calls
    images = [calls.upload(volume_to_bytes(blob(seed)[0])) for seed in (1, 2)]
    labels = calls.upload(segmentation_to_bytes(blob(1)[1]), "segmentation")
    pair = {"moving": images[0], "fixed": images[1], "moving_segmentation": labels}
    job = calls.succeeded(calls.submit("/register", pair))
    subject = "a-subject"
    calls.succeeded(calls.submit("/project", {"volume": images[0], "subject": subject}))
    return http_hooks.environment(images=images, segmentations=[labels], jobs=[job.id], subjects=[subject])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long to go on")
    parser.add_argument("--seed", type=int, default=None, help="of the made-up calls; drawn where not given")
    options = parser.parse_args(arguments)
    reports = REPOSITORY / "build" / "fuzz"
    reports.mkdir(parents=True, exist_ok=True)
    seed = () if options.seed is None else ("--seed", str(options.seed))
    with tempfile.TemporaryDirectory() as folder, fuzzed_deployment(Path(folder)) as deployment:
        done = fuzz(deployment, reports, "--max-time", str(options.seconds), "--continue-on-failure", *seed)
        sys.stdout.write(done.stdout)
        if done.returncode != 0:
            sys.stdout.write(f"{deployment.logs()}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
