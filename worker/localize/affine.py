"""The affine registration of two heads, in a process of its own.

ANTs holds Python's global lock for as long as it searches, which may be half a minute. In the worker's own process no
lease would be renewed in that time and no cancellation heard, and the job would be taken for lost.
"""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import LocalizeUnavailableError, StructureNotLocatedError
from eigenwarp.volume import Volume
from worker.localize.ants_search import FAILURE, FOUND, PROBLEM, Search

__all__ = ["Search", "register_affinely"]


def register_affinely(fixed: Volume, moving: Volume, search: Search) -> npt.NDArray[np.float64]:
    """The affine transform under which the moving head looks like the fixed one.

    Returns:
        4×4, fixed world → moving world, RAS mm.

    Raises:
        LocalizeUnavailableError: the extra ``localize`` is not installed.
        StructureNotLocatedError: ANTs finds no overlap, or nothing to compare.
        RuntimeError: the process ended before its time, for want of memory for instance.
    """
    if find_spec("ants") is None:
        raise LocalizeUnavailableError(
            "locating structures needs the extra 'localize' where the worker runs: ants is not installed"
        )
    with tempfile.TemporaryDirectory(prefix="eigenwarp-ants-") as name:
        folder = Path(name)
        np.savez(
            folder / PROBLEM,
            fixed=fixed.data,
            fixed_affine=fixed.geometry.affine,
            moving=moving.data,
            moving_affine=moving.geometry.affine,
        )
        # -P: nothing is imported from the folder that the worker happens to run in.
        command = [sys.executable, "-P", "-m", "worker.localize.ants_search", str(folder), search]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        failure = folder / FAILURE
        if failure.exists():
            raise StructureNotLocatedError(f"the image cannot be registered to a head ({failure.read_text()})")
        if ended.returncode != 0:
            last = ended.stderr.strip().rpartition("\n")[2]
            raise RuntimeError(f"the search for a head ended with code {ended.returncode}: {last}")
        found: npt.NDArray[np.float64] = np.load(folder / FOUND)
        return found
