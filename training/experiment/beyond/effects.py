"""What moving the mean along a component does to the anatomy."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from eigenwarp.field import DisplacementField, invert, jacobian_determinant
from eigenwarp.field.motion import Motion, decompose_motion
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.model.warp import warp
from eigenwarp.volume import Segmentation
from training.experiment.beyond.measured import decode_batches, fields_over_anatomy, mean_anatomy, world_field
from training.experiment.stage import Workplace

# Voxels around the labels in which the inverse is sought, for the derivatives at their border.
_MARGIN = 2


@dataclass(frozen=True)
class LabelEffect:
    """What becomes of one label.

    Args:
        name: of the label.
        change_percent: of its volume.
        displacement_mm: of its points, mean, world RAS.
        mean_length_mm: mean length of the displacements, which does not cancel where the label turns or stretches.
    """

    name: str
    change_percent: float
    displacement_mm: tuple[float, float, float]
    mean_length_mm: float


@dataclass(frozen=True)
class Effect:
    """Of D(λ u_k), which warps the mean as the paper's figures do.

    Args:
        motion: of the whole anatomy.
        labels: each label's.
    """

    motion: Motion
    labels: tuple[LabelEffect, ...]


def component_fields(model: RegistrationModel, deviations: float) -> list[DisplacementField]:
    """D(λ u_k) for every k, λ in standard deviations of the cohort."""
    basis = model.basis
    steps = deviations * np.sqrt(basis.variances)[:, None] * basis.components
    return [world_field(model, field) for batch in decode_batches(model, steps) for field in batch]


def anatomy_component_fields(workplace: Workplace, model: RegistrationModel) -> npt.NDArray[np.float32]:
    """D(σ u_k) of any network over the mean anatomy, flattened, (K, 3·voxels), mm along the grid's axes."""
    basis = model.basis
    fields = fields_over_anatomy(workplace, model, np.sqrt(basis.variances)[:, None] * basis.components)
    return np.asarray(fields.reshape(len(fields), -1))


@lru_cache(maxsize=4)
def component_effects(workplace: Workplace, deviations: float) -> tuple[Effect, ...]:
    """Of every component of the network without skips."""
    anatomy = mean_anatomy(workplace)
    names = {label: name for name, label in workplace.model.labels.items()}
    return tuple(_effect(field, anatomy, names) for field in component_fields(workplace.model, deviations))


def _effect(field: DisplacementField, anatomy: Segmentation, names: dict[int, str]) -> Effect:
    """The anatomy moves by the inverse of the field that warps it."""
    found = np.argwhere(anatomy.data > 0)
    low = np.maximum(found.min(axis=0) - _MARGIN, 0)
    high = np.minimum(found.max(axis=0) + 1 + _MARGIN, anatomy.shape)
    offset, shape = tuple(int(n) for n in low), tuple(int(n) for n in high - low)
    box = anatomy.geometry.cropped((offset[0], offset[1], offset[2]), (shape[0], shape[1], shape[2]))
    inside = anatomy.data[tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))]
    inverse = invert(field, box)
    jacobian = jacobian_determinant(inverse)
    return Effect(
        motion=decompose_motion(inverse, inside > 0),
        labels=tuple(
            _label_effect(
                names.get(label, str(label)), inverse.displacement[inside == label], jacobian[inside == label]
            )
            for label in anatomy.labels
        ),
    )


def _label_effect(name: str, displacement: npt.NDArray[np.float32], jacobian: npt.NDArray[np.float32]) -> LabelEffect:
    x, y, z = displacement.mean(axis=0, dtype=np.float64)
    return LabelEffect(
        name=name,
        # The integral of the determinant over the label is its new volume.
        change_percent=100 * (float(jacobian.mean(dtype=np.float64)) - 1),
        displacement_mm=(float(x), float(y), float(z)),
        mean_length_mm=float(np.linalg.norm(displacement, axis=1).mean(dtype=np.float64)),
    )


def occupancy(anatomy: Segmentation, field: DisplacementField) -> npt.NDArray[np.float32]:
    """How much of each voxel the anatomy fills once warped, (X, Y, Z), 0 to 1."""
    grid = anatomy.geometry
    voxels = np.einsum("ij,xyzj->ixyz", grid.inverse_affine[:3, :3], field.displacement.astype(np.float64))
    filled = torch.from_numpy((anatomy.data > 0).astype(np.float32))[None, None]
    return np.asarray(warp(filled, torch.from_numpy(voxels.astype(np.float32))[None])[0, 0].numpy())
