"""The encoder E_ψ: one volume to its latent encoding."""

from torch import Tensor, nn

from eigenwarp.model.architecture import Architecture, Norm
from eigenwarp.model.blocks import ConvBlock


class Encoder(nn.Module):
    """Encodes each volume on its own (section 3.1).

    Args:
        architecture: levels, channels and what is skipped.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        slope, channels = architecture.negative_slope, architecture.channels
        self.levels = nn.ModuleList()
        inputs = 1
        for level, outputs in enumerate(channels):
            stride = 1 if level == 0 and architecture.full_resolution else 2
            blocks = [ConvBlock(inputs, outputs, norm=Norm.INSTANCE, slope=slope, stride=stride)]
            blocks += [
                ConvBlock(outputs, outputs, norm=Norm.INSTANCE, slope=slope) for _ in range(architecture.convolutions)
            ]
            self.levels.append(nn.Sequential(*blocks))
            inputs = outputs
        self.to_latent = nn.Conv3d(channels[-1], architecture.latent_channels, 3, padding=1, bias=False)
        self.skipped_levels = architecture.skipped_levels
        self.to_skips = nn.ModuleList(
            nn.Conv3d(channels[level], architecture.skip_channels, 1, bias=False) for level in self.skipped_levels
        )

    def forward(self, volume: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Encode volumes.

        Args:
            volume: (B, 1, X, Y, Z) in [0, 1].

        Returns:
            The encoding's parts as ``Architecture.code_shapes`` has them, each with a leading B; and the features of
            every level, finest first, for the segmentation head.
        """
        features = []
        x = volume
        for level in self.levels:
            x = level(x)
            features.append(x)
        parts = [self.to_latent(x)]
        parts += [project(features[level]) for project, level in zip(self.to_skips, self.skipped_levels, strict=True)]
        return parts, features
