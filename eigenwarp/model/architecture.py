"""What a registration network is made of, as one checked value that its bundle carries."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import prod
from typing import Self

from eigenwarp.errors import OptionInvalidError
from eigenwarp.volume import Shape


class Skips(StrEnum):
    """Which encoder features, beside the bottleneck, reach the decoder as differences.

    ``NONE`` is the paper's network, whose explanation is whole. ``SUBTRACTED`` passes every level
    (the paper's ablation), ``COARSE`` only the level above the bottleneck.
    """

    NONE = "none"
    SUBTRACTED = "subtracted"
    COARSE = "coarse"


class Norm(StrEnum):
    INSTANCE = "instance"
    NONE = "none"


@dataclass(frozen=True)
class Architecture:
    """Shape of the encoder and decoder (section 3.1).

    Args:
        shape: the model's grid, voxels (X, Y, Z); each a multiple of ``2 ** levels``.
        channels: channels of each level, finest first. With ``full_resolution`` the first level
            works on the grid itself, otherwise on half of it behind a strided stem.
        latent_channels: channels of the encoding.
        convolutions: 3³ convolutions per level and side.
        full_resolution: whether a level works at the grid's own resolution.
        skips: see ``Skips``.
        skip_channels: channels that each skipped level is projected to before it becomes part of the encoding.
        decoder_norm: ``instance`` as in the paper. ``none`` makes the decoder free of biases and norms and so
            positively homogeneous: the logits of ``λ z`` are λ times those of ``z``.
        segmentation_classes: labels the segmentation head predicts, background left out; 0 for no head.
        negative_slope: of the leaky ReLUs.

    Raises:
        OptionInvalidError: a value out of range; it is named.
    """

    shape: Shape = (64, 64, 64)
    channels: tuple[int, ...] = (32, 64, 128, 256, 512)
    latent_channels: int = 512
    convolutions: int = 1
    full_resolution: bool = True
    skips: Skips = Skips.NONE
    skip_channels: int = 8
    decoder_norm: Norm = Norm.INSTANCE
    segmentation_classes: int = 0
    negative_slope: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "skips", Skips(self.skips))
        object.__setattr__(self, "decoder_norm", Norm(self.decoder_norm))
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise OptionInvalidError(f"channels needs two levels or more of at least 1, got {self.channels}")
        if self.latent_channels < 1 or self.convolutions < 1:
            raise OptionInvalidError("latent_channels and convolutions must be at least 1")
        factor = 2**self.levels
        if len(self.shape) != 3 or any(n < factor or n % factor for n in self.shape):
            raise OptionInvalidError(f"shape {self.shape} must be multiples of 2^{self.levels} = {factor}")
        if self.segmentation_classes < 0:
            raise OptionInvalidError(f"segmentation_classes must not be negative, got {self.segmentation_classes}")

    @property
    def levels(self) -> int:
        """How often the resolution is halved: 4 in the paper, 3 for its lungs."""
        return len(self.channels) - (1 if self.full_resolution else 0)

    @property
    def finest_factor(self) -> int:
        """Grid voxels per voxel of the finest level: 1 or 2."""
        return 1 if self.full_resolution else 2

    def level_shape(self, level: int) -> Shape:
        """Spatial shape at ``channels[level]``."""
        factor = self.finest_factor * 2**level
        x, y, z = (n // factor for n in self.shape)
        return (x, y, z)

    @property
    def skipped_levels(self) -> tuple[int, ...]:
        """Indices into ``channels`` of the levels that reach the decoder, coarsest first."""
        above_bottleneck = len(self.channels) - 2
        if self.skips is Skips.NONE:
            return ()
        if self.skips is Skips.COARSE:
            return (above_bottleneck,)
        return tuple(range(above_bottleneck, -1, -1))

    @property
    def code_shapes(self) -> tuple[tuple[int, int, int, int], ...]:
        """Shapes (C, X, Y, Z) of the encoding's parts: the bottleneck, then the skipped levels."""
        bottleneck = (self.latent_channels, *self.level_shape(len(self.channels) - 1))
        return (bottleneck, *((self.skip_channels, *self.level_shape(level)) for level in self.skipped_levels))

    @property
    def code_length(self) -> int:
        """Length of the flattened encoding, as the basis sees it."""
        return sum(prod(shape) for shape in self.code_shapes)

    def to_dict(self) -> dict[str, object]:
        """Plain values for ``model.json``."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> Self:
        """From ``to_dict``'s output.

        Raises:
            OptionInvalidError: an unknown name or a bad value.
        """
        try:
            return cls(**values)  # type: ignore[arg-type]  # checked in __post_init__
        except (TypeError, ValueError) as error:
            raise OptionInvalidError(f"architecture: {error}") from error
