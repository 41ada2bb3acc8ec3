"""Random geometric and intensity changes, on whatever device the batch is."""

from math import pi

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from eigenwarp.model.warp import warp
from training.config import AugmentationConfig


def augment(
    images: Tensor, labels: Tensor, config: AugmentationConfig, generator: Generator, strength: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Change each volume on its own, with its labels.

    Args:
        images: (B, 1, X, Y, Z) in [0, 1].
        labels: one-hot without background, (B, C, X, Y, Z).
        generator: of all random draws, on the CPU.
        strength: factor on every amplitude, flips excepted.

    Returns:
        The changed images, again in [0, 1], and the labels interpolated linearly.
    """
    displacement = random_displacement(images.shape[0], tuple(images.shape[2:]), config, generator, strength)
    moved = warp(torch.cat([images, labels], dim=1), displacement.to(images.device))
    images, labels = moved[:, :1], moved[:, 1:]
    if config.flip_probability > 0:
        for b, flips in enumerate(torch.rand(images.shape[0], 3, generator=generator) < config.flip_probability):
            axes = [axis + 1 for axis in range(3) if flips[axis]]
            if axes:
                images[b], labels[b] = images[b].flip(axes), labels[b].flip(axes)
    if config.gamma > 0:
        exponent = torch.exp(_uniform(images.shape[0], 1, generator) * config.gamma * strength)
        images = images.clamp(0, 1) ** exponent.view(-1, 1, 1, 1, 1).to(images.device)
    if config.noise > 0:
        amplitude = torch.rand(images.shape[0], generator=generator) * config.noise * strength
        noise = torch.randn(images.shape, generator=generator) * amplitude.view(-1, 1, 1, 1, 1)
        images = (images + noise.to(images.device)).clamp(0, 1)
    return images, labels


def random_displacement(
    batch: int, shape: tuple[int, ...], config: AugmentationConfig, generator: Generator, strength: float
) -> Tensor:
    """Rotation, zoom and translation about the grid's centre, and a smooth random displacement.

    Returns:
        (B, 3, X, Y, Z), voxels.
    """
    angles = _uniform(batch, 3, generator) * config.rotation_degrees * strength * pi / 180
    scales = torch.exp(_uniform(batch, 3, generator) * config.zoom * strength)
    shifts = _uniform(batch, 3, generator) * config.translation_voxels * strength
    matrices = rotation_matrices(angles) * scales[:, None, :]
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    centred = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    difference = matrices - torch.eye(3)
    displacement = torch.einsum("bij,jxyz->bixyz", difference, centred) + shifts.view(batch, 3, 1, 1, 1)
    if config.elastic_voxels > 0:
        control = torch.randn(batch, 3, *(max(4, n // 8) for n in shape), generator=generator)
        amplitude = config.elastic_voxels * strength
        displacement = displacement + amplitude * F.interpolate(
            control, size=shape, mode="trilinear", align_corners=True
        )
    return displacement


def rotation_matrices(angles: Tensor) -> Tensor:
    """Rotations about z, then y, then x: radians (B, 3) → (B, 3, 3)."""
    generators = torch.zeros(len(angles), 3, 3, 3)
    for axis, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        generators[:, axis, i, j] = -angles[:, axis]
        generators[:, axis, j, i] = angles[:, axis]
    x, y, z = torch.matrix_exp(generators).unbind(dim=1)
    return x @ y @ z


def _uniform(batch: int, values: int, generator: Generator) -> Tensor:
    return 2 * torch.rand(batch, values, generator=generator) - 1
