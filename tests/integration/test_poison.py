"""A volume that kills whoever works on it: its job fails, readably, and nobody else's does.

The killer is what kills in production, too much memory, and it kills as there: by SIGKILL, without a word. A limit on a
container needs rights that a test has not, so a thread of this one watches the workers' children in its stead.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import nibabel as nib
import numpy as np

from tests.integration.deployment import Deployment, children
from tests.integration.work import require_done_once, submit_work

# As intensities that is an array of 130 MB, of which a worker needs more than one.
_POISON_SHAPE = (320, 320, 320)
_ALLOWED_GROWTH = 120 * 2**20
_PAGE = os.sysconf("SC_PAGE_SIZE")


def test_a_poison_volume_fails_after_three_attempts_and_alone(breakable: Deployment) -> None:
    calls = breakable.calls
    require_done_once(breakable, calls, submit_work(calls, "before-poison"))
    poison = calls.upload(_poison())
    with memory_limit(breakable) as killed:
        job_id = calls.submit("/project", {"volume": poison})
        work = submit_work(calls, "beside-poison")
        row = calls.finished(job_id, seconds=120)
        require_done_once(breakable, calls, work)
    assert (row.state, row.attempt) == ("failed", 3)
    assert row.problem is not None
    assert row.problem.type == "/problems/attempts-exhausted"
    assert "3" in row.problem.detail
    assert row.results == ()
    assert len(killed) == 3, "each attempt was killed, and nothing else"
    assert {calls.job(beside).attempt for beside in work.jobs} == {1}


def _poison() -> bytes:
    # Four bits of noise in each voxel: it shrinks, but not so much that it would be taken for a bomb.
    voxels = np.random.default_rng(0).integers(0, 16, _POISON_SHAPE, dtype=np.uint8)
    file = BytesIO()
    nib.Nifti1Image(voxels, np.eye(4)).to_stream(file)
    return file.getvalue()


@contextmanager
def memory_limit(deployment: Deployment) -> Iterator[list[int]]:
    """SIGKILL for each child that holds much more than the workers' children do now; those that it met."""
    workers = [worker.pid for worker in deployment.workers if worker is not None]
    limit = max(_resident(child) for worker in workers for child in children(worker)) + _ALLOWED_GROWTH
    killed: list[int] = []
    stop = Event()

    def watch() -> None:
        while not stop.wait(0.002):
            for child in (child for worker in workers for child in children(worker)):
                if _resident(child) > limit and child not in killed:
                    killed.append(child)
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)

    thread = Thread(target=watch, name="memory limit")
    thread.start()
    try:
        yield killed
    finally:
        stop.set()
        thread.join()


def _resident(pid: int) -> int:
    """Bytes."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0
