"""Applying a field: to images and segmentations (moving → fixed grid) and to points (fixed → moving)."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field.displacement import DisplacementField
from eigenwarp.field.interpolation import LinearInterpolator, inside, read_nearest, slabs
from eigenwarp.volume import Segmentation, Volume

LabelOrder = Literal["nearest", "linear"]


def warp_volume(moving: Volume, field: DisplacementField, outside: float = 0.0) -> Volume:
    """The moving image on the fixed grid, linear interpolation.

    Args:
        moving: the original image, on its own grid.
        field: fixed → moving.
        outside: intensity where the field leads out of the moving image.
    """
    geometry = field.geometry
    reader = LinearInterpolator(moving.data)
    warped = np.empty(geometry.shape, dtype=np.float32)
    for planes in slabs(geometry.shape):
        coordinates = field.voxels_on(moving.geometry, planes)
        values = np.where(inside(coordinates, moving.shape), reader.at(coordinates)[0], np.float32(outside))
        warped[planes] = values.reshape(-1, *geometry.shape[1:])
    return Volume(warped, geometry)


def warp_segmentation(moving: Segmentation, field: DisplacementField, order: LabelOrder = "nearest") -> Segmentation:
    """The moving labels on the fixed grid; background where the field leads out of the moving image.

    Args:
        moving: the original labels, on their own grid.
        field: fixed → moving.
        order: ``"nearest"`` takes the nearest voxel's label; ``"linear"`` interpolates each label's indicator and takes
            the largest (the lower label where two are equal), which gives smoother borders.
    """
    geometry = field.geometry
    warped = np.empty(geometry.shape, dtype=np.uint16)
    labels = np.array((0, *moving.labels), dtype=np.uint16)
    readers = [LinearInterpolator(moving.data == label) for label in labels] if order == "linear" else []
    for planes in slabs(geometry.shape):
        coordinates = field.voxels_on(moving.geometry, planes)
        if readers:
            values = labels[np.argmax([reader.at(coordinates)[0] for reader in readers], axis=0)]
        else:
            values = read_nearest(moving.data, coordinates)
        values[~inside(coordinates, moving.shape)] = 0
        warped[planes] = values.reshape(-1, *geometry.shape[1:])
    return Segmentation(warped, geometry)


def warp_points(points: npt.ArrayLike, field: DisplacementField) -> npt.NDArray[np.float64]:
    """Fixed points → their moving points: x + u(x). Points travel the other way to images.

    Args:
        points: (N, 3), world RAS mm on the fixed side. Outside the grid the nearest displacement holds.
        field: fixed → moving.

    Returns:
        (N, 3), world RAS mm on the moving side.

    Raises:
        FieldInvalidError: the points are not (N, 3) or not finite.
    """
    fixed = np.asarray(points, dtype=np.float64)
    if fixed.ndim != 2 or fixed.shape[1] != 3:
        raise FieldInvalidError(f"points must have shape (N, 3), got {fixed.shape}")
    if not np.isfinite(fixed).all():
        raise FieldInvalidError("points must be finite")
    return fixed + LinearInterpolator(field.displacement).at(field.geometry.to_voxel(fixed).T).T
