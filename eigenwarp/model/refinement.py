"""What refinement at test time optimises, common to both kinds. The given labels are never used."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from eigenwarp.model.similarity import local_correlation, soft_dice
from eigenwarp.model.warp import warp


@dataclass(frozen=True)
class RefinementConfig:
    """Weights and length of a refinement. Each kind's defaults are what won on validation pairs (docs/decisions/0006).

    Args:
        steps: of Adam.
        learning_rate: in the optimised quantity's own unit: the cohort's root mean square of a latent difference
            for ``latent``, voxels for ``field``.
        overlap: weight of 1 − Dice between the predicted label maps.
        similarity: weight of 1 − local correlation of the intensities.
        features: weight of the mean square difference of the encoder's finest features.
        smoothness: weight of the field's roughness (``field``).
        folding: weight of the folding penalty.
        tie: weight of the mean square distance to the network's own field, per voxel² (``field``).
        prior: weight of the latent difference's squared Mahalanobis length per dimension (``latent``).
        radius: of the correlation's window, voxels.
    """

    steps: int
    learning_rate: float
    overlap: float = 1.0
    similarity: float = 0.3
    features: float = 0.0
    smoothness: float = 0.0
    folding: float = 0.0
    tie: float = 0.0
    prior: float = 0.0
    radius: int = 2


@dataclass(frozen=True, eq=False)
class RefinementTarget:
    """What of one volume a refinement compares, on the model's grid.

    Args:
        image: (1, 1, X, Y, Z) in [0, 1].
        probabilities: predicted labels, (1, C, X, Y, Z), or None.
        features: the encoder's finest, brought to the model's grid, (1, F, X, Y, Z), or None.
    """

    image: Tensor
    probabilities: Tensor | None = None
    features: Tensor | None = None


def mismatch(
    moving: RefinementTarget, fixed: RefinementTarget, displacement: Tensor, config: RefinementConfig
) -> Tensor:
    """How badly the warped moving volume fits the fixed one: a scalar.

    Args:
        displacement: (1, 3, X, Y, Z), voxels, on the fixed grid.
    """
    total = displacement.new_zeros(())
    if config.overlap and moving.probabilities is not None and fixed.probabilities is not None:
        warped = warp(moving.probabilities, displacement)
        total = total + config.overlap * (1 - soft_dice(warped, fixed.probabilities).mean())
    if config.similarity:
        warped = F.avg_pool3d(warp(moving.image, displacement), 2)
        total = total + config.similarity * (
            1 - local_correlation(warped, F.avg_pool3d(fixed.image, 2), config.radius).mean()
        )
    if config.features and moving.features is not None and fixed.features is not None:
        total = total + config.features * ((warp(moving.features, displacement) - fixed.features) ** 2).mean()
    return total


def level_features(features: list[Tensor], shape: tuple[int, int, int]) -> Tensor:
    """The encoder's finest features, unit variance per channel, on the model's grid: (1, F, X, Y, Z)."""
    finest = features[0].float()
    finest = finest / finest.std(dim=(2, 3, 4), keepdim=True).clamp_min(1e-6)
    if finest.shape[2:] == torch.Size(shape):
        return finest
    return F.interpolate(finest, size=shape, mode="trilinear", align_corners=False)
