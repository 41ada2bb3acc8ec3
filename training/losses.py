"""The training objective (section 3.1), term by term."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, cat, stack

from eigenwarp.model.network import Displacements
from eigenwarp.model.regularity import folding_penalty, roughness
from eigenwarp.model.segmentation_head import label_probabilities
from eigenwarp.model.similarity import local_correlation, soft_dice
from eigenwarp.model.warp import warp
from training.config import LossConfig


class LossTerms(NamedTuple):
    """Each term before its weight, averaged over the batch and both directions. Scalars."""

    similarity: Tensor
    dice: Tensor
    smoothness: Tensor
    folding: Tensor
    segmentation: Tensor

    def total(self, config: LossConfig) -> Tensor:
        """L = L_sim + L_seg + α L_smooth + β L_jac, and the segmentation head's loss."""
        return (
            config.similarity * self.similarity
            + config.dice * self.dice
            + config.smoothness * self.smoothness
            + config.folding * self.folding
            + config.segmentation * self.segmentation
        )


def registration_terms(
    moving: tuple[Tensor, Tensor], fixed: tuple[Tensor, Tensor], displacement: Tensor, config: LossConfig
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Similarity, Dice, smoothness and folding of one direction.

    Args:
        moving, fixed: images (B, 1, X, Y, Z) and labels (B, C, X, Y, Z).
        displacement: on the fixed grid, (B, 3, X, Y, Z), voxels.
    """
    images, labels = moving
    zero = displacement.new_zeros(())
    # One read for the image and its labels: the sampling weights are computed once.
    read = [part for part, weight in ((images, config.similarity), (labels, config.dice)) if weight]
    similarity, dice = zero, zero
    if read:
        warped = warp(read[0] if len(read) == 1 else cat(read, dim=1), displacement)
        warped_image, warped_labels = warped[:, : images.shape[1]], warped[:, -labels.shape[1] :]
        if config.similarity:
            target = fixed[0]
            if config.similarity_scale > 1:
                warped_image = F.avg_pool3d(warped_image, config.similarity_scale)
                target = F.avg_pool3d(target, config.similarity_scale)
            similarity = 1 - local_correlation(warped_image, target, config.similarity_radius).mean()
        if config.dice:
            dice = 1 - soft_dice(warped_labels, fixed[1]).mean()
    smoothness = roughness(displacement).mean() if config.smoothness else zero
    folding = folding_penalty(displacement).mean() if config.folding else zero
    return similarity, dice, smoothness, folding


def symmetric_terms(
    moving: tuple[Tensor, Tensor],
    fixed: tuple[Tensor, Tensor],
    displacements: Displacements,
    config: LossConfig,
    segmentation: Tensor,
) -> LossTerms:
    """Both directions' mean; ``segmentation`` is the head's loss, or zero."""
    forward = registration_terms(moving, fixed, displacements.forward, config)
    backward = registration_terms(fixed, moving, displacements.backward, config)
    similarity, dice, smoothness, folding = (stack([a, b]).mean() for a, b in zip(forward, backward, strict=True))
    return LossTerms(similarity, dice, smoothness, folding, segmentation)


def segmentation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy and 1 − Dice of the segmentation head.

    Args:
        logits: (B, 1 + C, X, Y, Z), background first.
        labels: soft one-hot without background, (B, C, X, Y, Z).
    """
    background = (1 - labels.sum(dim=1, keepdim=True)).clamp(0, 1)
    target = cat([background, labels], dim=1)
    cross_entropy = -(target * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
    # The background fills nine tenths of the grid: scaled so that the labels' voxels weigh as the Dice term does.
    return 10 * cross_entropy + 1 - soft_dice(label_probabilities(logits), labels).mean()
