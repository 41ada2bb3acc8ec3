"""Validation during training: Dice on the model's grid."""

from typing import NamedTuple

import torch
from torch import Tensor

from eigenwarp.model import RegistrationNetwork
from eigenwarp.model.warp import jacobian_determinant, warp
from training.tensors import PreparedCohort


class Validation(NamedTuple):
    """Means over the pairs and labels, each subject onto the next, cyclic."""

    dice: float
    initial_dice: float
    folded_share: float
    segmentation_dice: float


@torch.no_grad()
def validate(network: RegistrationNetwork, cohort: PreparedCohort, classes: int, batch: int = 4) -> Validation:
    """Register each subject of a cohort onto the next and measure hard labels.

    Args:
        classes: labels, background left out.
        batch: volumes at a time.
    """
    network.eval()
    device = next(network.parameters()).device
    codes, predictions = [], []
    for images in torch.split(cohort.images, batch):
        code, logits = network.encode_and_segment(images.to(device))
        codes.append(code)
        predictions.append(cohort.labels[:0] if logits is None else logits.argmax(dim=1).to("cpu", torch.uint8))
    code = torch.cat(codes)
    segmentation = torch.cat(predictions)
    dice, initial, folded = [], [], []
    for start in range(0, len(cohort), batch):
        moving = torch.arange(start, min(start + batch, len(cohort)))
        fixed = (moving + 1) % len(cohort)
        displacement = network.decode(code[moving] - code[fixed]).float()
        labels = cohort.labels[moving][:, None].float().to(device)
        warped = warp(labels, displacement, nearest=True)[:, 0].to("cpu", torch.uint8)
        dice.append(hard_dice(warped, cohort.labels[fixed], classes))
        initial.append(hard_dice(cohort.labels[moving], cohort.labels[fixed], classes))
        folded.append((jacobian_determinant(displacement) <= 0).float().mean().item())
    network.train()
    segmentation_dice = hard_dice(segmentation, cohort.labels, classes).mean().item() if len(segmentation) else 0.0
    return Validation(
        torch.cat(dice).mean().item(), torch.cat(initial).mean().item(), sum(folded) / len(folded), segmentation_dice
    )


def hard_dice(a: Tensor, b: Tensor, classes: int) -> Tensor:
    """Dice of whole-number label maps (B, X, Y, Z): (B, classes); 1 where a label is absent in both."""
    scores = []
    for label in range(1, classes + 1):
        in_a, in_b = (a == label).flatten(1), (b == label).flatten(1)
        both = (in_a & in_b).sum(dim=1).float()
        size = (in_a.sum(dim=1) + in_b.sum(dim=1)).float()
        scores.append(torch.where(size > 0, 2 * both / size.clamp_min(1), torch.ones_like(size)))
    return torch.stack(scores, dim=1)
