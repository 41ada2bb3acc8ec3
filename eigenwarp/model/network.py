"""The registration network g_θ: encode each volume, subtract, decode both directions."""

from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from eigenwarp.model.architecture import Architecture
from eigenwarp.model.decoder import Decoder
from eigenwarp.model.encoder import Encoder
from eigenwarp.model.segmentation_head import SegmentationHead
from eigenwarp.model.warp import integrate_gradients


class Displacements(NamedTuple):
    """Both directions of a registration, voxels, (B, 3, X, Y, Z) each.

    ``forward`` lies on the fixed grid and moves the moving volume; ``backward`` the other way round.
    """

    forward: Tensor
    backward: Tensor


class RegistrationNetwork(nn.Module):
    """The paper's network (section 3.1), configurable.

    ∇Φ(M→F) = D(E(M) − E(F)) and ∇Φ(F→M) = D(E(F) − E(M)); a displacement is the gradients' cumulative sum.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder = Encoder(architecture)
        self.decoder = Decoder(architecture)
        self.segmentation_head = SegmentationHead(architecture) if architecture.segmentation_classes else None

    def encode(self, volume: Tensor) -> Tensor:
        """E_ψ: (B, 1, X, Y, Z) in [0, 1] → flattened encodings (B, D), float32."""
        parts, _ = self.encoder(volume)
        return self.flatten(parts)

    def encode_and_segment(self, volume: Tensor) -> tuple[Tensor, Tensor | None]:
        """Encodings (B, D) and the segmentation head's logits (B, 1 + classes, X, Y, Z), if there is a head."""
        parts, features = self.encoder(volume)
        logits = None if self.segmentation_head is None else self.segmentation_head(volume, features)
        return self.flatten(parts), logits

    def gradients(self, difference: Tensor) -> Tensor:
        """D_ω: latent differences (B, D) → spatial gradients (B, 3, x, y, z) in (0, 2)."""
        gradients: Tensor = self.decoder(self.unflatten(difference))
        return gradients

    def decode(self, difference: Tensor) -> Tensor:
        """Latent differences (B, D) → displacements (B, 3, X, Y, Z), voxels."""
        return integrate_gradients(self.gradients(difference), self.architecture.shape)

    def forward(self, moving: Tensor, fixed: Tensor) -> Displacements:
        """Register in both directions from one pair of encodings.

        Args:
            moving: (B, 1, X, Y, Z) in [0, 1].
            fixed: the same shape.
        """
        codes = self.encode(torch.cat([moving, fixed]))
        difference = codes[: len(moving)] - codes[len(moving) :]
        forward, backward = self.decode(torch.cat([difference, -difference])).chunk(2)
        return Displacements(forward, backward)

    def flatten(self, parts: list[Tensor]) -> Tensor:
        """The encoding's parts → (B, D), float32 (section 3.2: all channels together)."""
        return torch.cat([part.flatten(1) for part in parts], dim=1).float()

    def unflatten(self, code: Tensor) -> list[Tensor]:
        """(B, D) → the encoding's parts."""
        shapes = self.architecture.code_shapes
        pieces = torch.split(code, [prod(shape) for shape in shapes], dim=1)
        return [piece.reshape(-1, *shape) for piece, shape in zip(pieces, shapes, strict=True)]
