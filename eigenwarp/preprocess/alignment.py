"""How two volumes are laid over each other before the network sees them."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from eigenwarp.volume import Volume


class Alignment(StrEnum):
    """The initial alignment of a pair; the field that comes out contains it.

    - ``center``: the grids' centres, for images cropped around the same organ.
    - ``world``: the scanner's coordinates as they are, for images of one session.
    - ``moments``: the centres of mass of the intensities above the image's minimum.
    """

    CENTER = "center"
    WORLD = "world"
    MOMENTS = "moments"


def centre_of_mass(volume: Volume) -> npt.NDArray[np.float64]:
    """The intensities' centre of mass above their minimum, voxel indices, shape (3,).

    Raises:
        EmptyVolumeError: every voxel has the same value.
    """
    volume.require_contrast()
    low = np.float64(volume.data.min())
    centre = np.empty(3)
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        weights = volume.data.sum(axis=others, dtype=np.float64) - low * (volume.data.size // volume.shape[axis])
        centre[axis] = weights @ np.arange(volume.shape[axis]) / weights.sum()
    return centre
