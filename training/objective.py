"""One training step's objective as a module, so that DDP can wrap it."""

import torch
from torch import Tensor, nn

from eigenwarp.model import Displacements, RegistrationNetwork
from training.config import TrainingConfig
from training.losses import LossTerms, segmentation_loss, symmetric_terms


class Objective(nn.Module):
    """Encodes each volume of a batch once and registers it with the next of its cycle, in both directions."""

    def __init__(self, network: RegistrationNetwork, config: TrainingConfig) -> None:
        super().__init__()
        self.network = network
        self.config = config

    def forward(self, images: Tensor, labels: Tensor) -> LossTerms:
        """The loss terms of a batch.

        Args:
            images: (B, 1, X, Y, Z), B a multiple of ``optimiser.cycle``; volume i is registered onto volume i + 1.
            labels: (B, C, X, Y, Z).
        """
        half = self.config.precision == "bfloat16"
        following = next_in_cycle(len(images), self.config.optimiser.cycle).to(images.device)
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=half):
            codes, logits = self.network.encode_and_segment(images)
            difference = codes - codes[following]
            gradients = self.network.decode(torch.cat([difference, -difference]))
        forward, backward = gradients.chunk(2)
        segmentation = images.new_zeros(())
        if logits is not None:
            segmentation = segmentation_loss(logits, labels)
        return symmetric_terms(
            (images, labels),
            (images[following], labels[following]),
            Displacements(forward, backward),
            self.config.loss,
            segmentation,
        )


def next_in_cycle(batch: int, cycle: int) -> Tensor:
    """For each place of a batch, the place it is registered onto: (B,) integers."""
    index = torch.arange(batch)
    return index // cycle * cycle + (index % cycle + 1) % cycle
