"""The decoder D_ω: a difference of encodings to the spatial gradients of a deformation."""

import torch
from torch import Tensor, nn

from eigenwarp.model.architecture import Architecture, Norm
from eigenwarp.model.blocks import ConvBlock, Upsample


class Decoder(nn.Module):
    """Decodes a latent difference into ∂φ_x/∂x, ∂φ_y/∂y, ∂φ_z/∂z (section 3.1).

    The gradients are 2σ(h(z) − h(0)): in (0, 2), and one everywhere, the identity, for z = 0.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        norm, slope, channels = architecture.decoder_norm, architecture.negative_slope, architecture.channels
        self.homogeneous = norm is Norm.NONE
        self.skipped_levels = architecture.skipped_levels
        self.from_latent = ConvBlock(architecture.latent_channels, channels[-1], norm=norm, slope=slope)
        self.upsamples = nn.ModuleList()
        self.levels = nn.ModuleList()
        for level in range(len(channels) - 2, -1, -1):
            outputs = channels[level]
            self.upsamples.append(Upsample(channels[level + 1], outputs, norm=norm, slope=slope))
            skipped = architecture.skip_channels if level in self.skipped_levels else 0
            blocks = [ConvBlock(outputs + skipped, outputs, norm=norm, slope=slope)]
            blocks += [
                ConvBlock(outputs, outputs, norm=norm, slope=slope) for _ in range(architecture.convolutions - 1)
            ]
            self.levels.append(nn.Sequential(*blocks))
        self.to_gradients = nn.Conv3d(channels[0], 3, 3, padding=1, bias=False)
        # Near the identity at the start, so that the first warps read where the image is.
        nn.init.normal_(self.to_gradients.weight, std=1e-3)

    def forward(self, parts: list[Tensor]) -> Tensor:
        """Latent differences to spatial gradients.

        Args:
            parts: the difference's parts, (B, C, x, y, z) each, as ``Architecture.code_shapes`` has them.

        Returns:
            (B, 3, X, Y, Z) at the finest level's resolution, float32, in (0, 2).
        """
        if self.homogeneous:
            logits = self.logits(parts).float()
        else:
            batch = parts[0].shape[0]
            with_zero = [torch.cat([part, torch.zeros_like(part[:1])]) for part in parts]
            both = self.logits(with_zero).float()
            logits = both[:batch] - both[batch:]
        return 2 * torch.sigmoid(logits)

    def logits(self, parts: list[Tensor]) -> Tensor:
        """h(z), before the sigmoid: (B, 3, X, Y, Z)."""
        skips = dict(zip(self.skipped_levels, parts[1:], strict=True))
        x = self.from_latent(parts[0])
        finest = len(self.levels) - 1
        for step, (upsample, blocks) in enumerate(zip(self.upsamples, self.levels, strict=True)):
            x = upsample(x)
            skip = skips.get(finest - step)
            x = blocks(x if skip is None else torch.cat([x, skip], dim=1))
        result: Tensor = self.to_gradients(x)
        return result
