"""ANTs' affine registration of two heads, as a program: ``python -m worker.localize.ants_search FOLDER SEARCH``.

Reads ``problem.npz`` in the folder and leaves ``found.npy`` there, a matrix between the heads' worlds, or
``failure.txt``.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import numpy.typing as npt

from eigenwarp.volume import Geometry, Volume

if TYPE_CHECKING:
    from ants.core.ants_image import ANTsImage

Search = Literal["AffineFast", "Affine"]
"""ANTs' names: the first looks at coarse images only; the second finds heads that are turned further, in ten times the
time."""

PROBLEM, FOUND, FAILURE = "problem.npz", "found.npy", "failure.txt"
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# ANTs draws the voxels that it compares: with the same ones, and one thread, the same head has the same box each time.
# Several threads add up in another order each time: the box is then off by a voxel now and then, and hardly sooner.
_SEED = 1


def main(folder: Path, search: Search) -> None:
    """One search."""
    # ITK asks the environment when it first computes.
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    with np.load(folder / PROBLEM) as problem:
        fixed, moving = (
            Volume(problem[name], Geometry(problem[name].shape, problem[f"{name}_affine"]))
            for name in ("fixed", "moving")
        )
    try:
        found = _search(fixed, moving, search, f"{folder}/")
    # ANTs knows one class of error for all that goes wrong inside of it.
    except (RuntimeError, ValueError) as error:
        (folder / FAILURE).write_text(type(error).__name__)
    else:
        np.save(folder / FOUND, found)


def _search(fixed: Volume, moving: Volume, search: Search, prefix: str) -> npt.NDArray[np.float64]:
    import ants

    # Neither Python's nor NumPy's own generators are touched with ``on=False``.
    ants.config.set_ants_deterministic(on=False, seed_value=_SEED)
    found = ants.registration(
        fixed=_to_ants(fixed), moving=_to_ants(moving), type_of_transform=search, outprefix=prefix
    )
    transform = ants.read_transform(found["fwdtransforms"][0])
    parameters, centre = np.array(transform.parameters), np.array(transform.fixed_parameters)
    # ITK: x → M (x − c) + c + t.
    matrix = np.eye(4)
    matrix[:3, :3] = parameters[:9].reshape(3, 3)
    matrix[:3, 3] = parameters[9:12] + centre - matrix[:3, :3] @ centre
    to_moving: npt.NDArray[np.float64] = _LPS_TO_RAS @ matrix @ _LPS_TO_RAS
    return to_moving


def _to_ants(volume: Volume) -> "ANTsImage":
    import ants

    affine = _LPS_TO_RAS @ volume.geometry.affine
    return ants.from_numpy(
        np.ascontiguousarray(volume.data),
        origin=affine[:3, 3].tolist(),
        spacing=list(volume.geometry.spacing),
        direction=affine[:3, :3] / volume.geometry.spacing,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), cast(Search, sys.argv[2]))
