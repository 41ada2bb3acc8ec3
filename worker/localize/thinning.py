"""A coarse copy of a head: finding it takes no fine detail."""

import numpy as np

from eigenwarp.volume import Geometry, Volume

_COARSE_MM = 2.0


def thinned(volume: Volume) -> Volume:
    """Means of blocks of voxels, about 2 mm wide; along axes that are as coarse already, as it is."""
    factors = [max(1, round(_COARSE_MM / spacing)) for spacing in volume.geometry.spacing]
    factors = [min(factor, length) for factor, length in zip(factors, volume.shape, strict=True)]
    (x, y, z), (a, b, c) = (n // f for n, f in zip(volume.shape, factors, strict=True)), factors
    blocks = volume.data[: x * a, : y * b, : z * c].reshape(x, a, y, b, z, c)
    placement = np.diag([*factors, 1.0])
    placement[:3, 3] = (np.array(factors) - 1) / 2
    return Volume(blocks.mean(axis=(1, 3, 5)), Geometry((x, y, z), volume.geometry.affine @ placement))
