"""Fields that move every point alike."""

import numpy as np

from eigenwarp.field import DisplacementField
from eigenwarp.volume import Geometry

MOVED_MM = np.array([2.0, -1.0, 1.0], dtype=np.float32)


def translation(geometry: Geometry, by_mm: np.ndarray) -> DisplacementField:
    return DisplacementField(np.broadcast_to(by_mm, (*geometry.shape, 3)), geometry)
