"""ANTs' affine registration of two heads, as a matrix between their worlds."""

import os
import tempfile
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import LocalizeUnavailableError, StructureNotLocatedError
from eigenwarp.volume import Volume

if TYPE_CHECKING:
    from ants.core.ants_image import ANTsImage

Search = Literal["AffineFast", "Affine"]
"""ANTs' names: the first looks at coarse images only; the second finds heads that are turned further, in ten times the
time."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# ANTs draws the voxels that it compares: the same ones, and as many threads, make the same box each time.
_SEED = 1


def register_affinely(fixed: Volume, moving: Volume, search: Search) -> npt.NDArray[np.float64]:
    """The affine transform under which the moving head looks like the fixed one.

    Returns:
        4×4, fixed world → moving world, RAS mm.

    Raises:
        LocalizeUnavailableError: the extra ``localize`` is not installed.
        StructureNotLocatedError: ANTs finds no overlap, or nothing to compare.
    """
    _bound_threads()
    try:
        import ants
    except ImportError as error:
        raise LocalizeUnavailableError(
            f"locating structures needs the extra 'localize' where the worker runs: {error.name} is not installed"
        ) from None
    # Neither Python's nor NumPy's own generators are touched with ``on=False``.
    ants.config.set_ants_deterministic(on=False, seed_value=_SEED)
    with tempfile.TemporaryDirectory(prefix="eigenwarp-ants-") as folder:
        try:
            found = ants.registration(
                fixed=_to_ants(fixed),
                moving=_to_ants(moving),
                type_of_transform=search,
                outprefix=f"{folder}/",
            )
        # ANTs knows one class of error for all that goes wrong inside of it.
        except (RuntimeError, ValueError) as error:
            raise StructureNotLocatedError(
                f"the image cannot be registered to a head ({type(error).__name__})"
            ) from None
        transform = ants.read_transform(found["fwdtransforms"][0])
        parameters, centre = np.array(transform.parameters), np.array(transform.fixed_parameters)
    # ITK: x → M (x − c) + c + t.
    matrix = np.eye(4)
    matrix[:3, :3] = parameters[:9].reshape(3, 3)
    matrix[:3, 3] = parameters[9:12] + centre - matrix[:3, :3] @ centre
    to_moving: npt.NDArray[np.float64] = _LPS_TO_RAS @ matrix @ _LPS_TO_RAS
    return to_moving


def _bound_threads() -> None:
    """ITK starts a thread per core of the machine otherwise; it asks the environment when it first computes."""
    cores = os.environ.get("OMP_NUM_THREADS") or str(len(os.sched_getaffinity(0)))
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", cores)


def _to_ants(volume: Volume) -> "ANTsImage":
    import ants

    affine = _LPS_TO_RAS @ volume.geometry.affine
    return ants.from_numpy(
        np.ascontiguousarray(volume.data),
        origin=affine[:3, 3].tolist(),
        spacing=list(volume.geometry.spacing),
        direction=affine[:3, :3] / volume.geometry.spacing,
    )
