"""The part of a grid around what is true on it."""

import numpy as np
import numpy.typing as npt

Box = tuple[slice, slice, slice]


def bounding_box(mask: npt.NDArray[np.bool_], margin: int = 0) -> Box:
    """Slices of step 1 around a mask (X, Y, Z) that holds something.

    Args:
        margin: voxels to add on every side, as far as the grid reaches.
    """
    parts = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(mask.any(axis=others))
        parts.append(slice(max(int(found[0]) - margin, 0), min(int(found[-1]) + 1 + margin, mask.shape[axis]), 1))
    return parts[0], parts[1], parts[2]
