"""One field after another, and how far two fields are from undoing each other."""

from dataclasses import dataclass

import numpy as np

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field.displacement import DisplacementField
from eigenwarp.field.interpolation import LinearInterpolator, inside, slabs


def compose(first: DisplacementField, second: DisplacementField) -> DisplacementField:
    """The transform x ↦ second(first(x)) on the first field's grid.

    Warping with the result equals warping with ``second``, then with ``first``: images go through fields backwards.

    Args:
        first: fixed → intermediate.
        second: intermediate → moving, on a grid of its own. Outside of it the nearest displacement holds.
    """
    geometry = first.geometry
    reader = LinearInterpolator(second.displacement)
    displacement = np.empty_like(first.displacement)
    for planes in slabs(geometry.shape):
        further = reader.at(first.voxels_on(second.geometry, planes))
        displacement[planes] = first.displacement[planes] + further.T.reshape(-1, *geometry.shape[1:], 3)
    return DisplacementField(displacement, geometry)


@dataclass(frozen=True)
class InverseConsistency:
    """How far points come back from where they started, over a grid.

    Args:
        mean_mm, p95_mm, max_mm: of |u_f(x) + u_b(x + u_f(x))| over the voxels counted.
        inside_share: share of the forward grid's voxels that land on the backward grid, which alone are counted.
    """

    mean_mm: float
    p95_mm: float
    max_mm: float
    inside_share: float


def inverse_consistency(forward: DisplacementField, backward: DisplacementField) -> InverseConsistency:
    """Measure |backward(forward(x)) − x| on the forward field's grid.

    Raises:
        FieldInvalidError: no voxel of the forward grid lands on the backward grid.
    """
    shape = forward.geometry.shape
    landed = np.concatenate(
        [inside(forward.voxels_on(backward.geometry, planes), backward.geometry.shape) for planes in slabs(shape)]
    )
    if not landed.any():
        raise FieldInvalidError("the forward field leads nowhere onto the backward field's grid")
    there_and_back = compose(forward, backward).displacement.reshape(-1, 3)[landed]
    distance = np.linalg.norm(there_and_back, axis=1)
    return InverseConsistency(
        mean_mm=float(distance.mean()),
        p95_mm=float(np.percentile(distance, 95)),
        max_mm=float(distance.max()),
        inside_share=float(landed.mean()),
    )
