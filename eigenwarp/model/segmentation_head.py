"""A light segmentation head on the shared encoder."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eigenwarp.model.architecture import Architecture, Norm
from eigenwarp.model.blocks import ConvBlock, Upsample


class SegmentationHead(nn.Module):
    """Predicts label maps of one volume from the encoder's features.

    Its features reach neither the encoding nor the decoder, so the registration's explanation stays whole;
    what it predicts drives the refinement at test time and is a result of its own.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        slope, channels = architecture.negative_slope, architecture.channels
        self.upsamples = nn.ModuleList()
        self.levels = nn.ModuleList()
        for level in range(len(channels) - 2, -1, -1):
            outputs = channels[level]
            self.upsamples.append(Upsample(channels[level + 1], outputs, norm=Norm.INSTANCE, slope=slope))
            self.levels.append(ConvBlock(2 * outputs, outputs, norm=Norm.INSTANCE, slope=slope))
        self.factor = architecture.finest_factor
        self.classes = architecture.segmentation_classes + 1
        # Below full resolution each voxel predicts the logits of all the grid voxels it covers.
        self.to_logits = nn.Conv3d(channels[0] + self.factor**3, self.classes * self.factor**3, 3, padding=1)

    def forward(self, volume: Tensor, features: list[Tensor]) -> Tensor:
        """Logits of each class.

        Args:
            volume: (B, 1, X, Y, Z), what was encoded.
            features: of every encoder level, finest first.

        Returns:
            (B, 1 + classes, X, Y, Z), float32; background first.
        """
        x = features[-1]
        for step, (upsample, block) in enumerate(zip(self.upsamples, self.levels, strict=True)):
            x = block(torch.cat([upsample(x), features[-2 - step]], dim=1))
        fine = _gather(volume, self.factor) if self.factor > 1 else volume
        logits = self.to_logits(torch.cat([x, fine.to(x.dtype)], dim=1)).float()
        return _scatter(logits, self.factor) if self.factor > 1 else logits


def _gather(x: Tensor, factor: int) -> Tensor:
    """(B, C, X, Y, Z) → (B, C·f³, X/f, Y/f, Z/f): the voxels of each block become channels."""
    batch, channels, *shape = x.shape
    split = x.reshape(batch, channels, *(m for n in shape for m in (n // factor, factor)))
    return split.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(batch, channels * factor**3, *(n // factor for n in shape))


def _scatter(x: Tensor, factor: int) -> Tensor:
    """The inverse of ``_gather``."""
    batch, channels, *shape = x.shape
    split = x.reshape(batch, channels // factor**3, factor, factor, factor, *shape)
    return split.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(batch, channels // factor**3, *(n * factor for n in shape))


def label_probabilities(logits: Tensor) -> Tensor:
    """Softmax without the background: (B, 1 + classes, X, Y, Z) → (B, classes, X, Y, Z)."""
    return F.softmax(logits, dim=1)[:, 1:]
