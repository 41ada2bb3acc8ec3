"""Displacements and warps on the model's grid, as pure functions of tensors.

A displacement ``d`` has shape (B, 3, X, Y, Z), in voxels, on the fixed grid: the voxel to read in the
moving volume for the fixed voxel i is i + d(i).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def integrate_gradients(gradients: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Sum positive spatial gradients into a displacement (section 3.1).

    φ_k(i) is the cumulative sum of ∂φ_k/∂x_k along axis k, so that gradients of one give φ(i) = i.

    Args:
        gradients: (B, 3, x, y, z), in (0, 2): ∂φ_k/∂x_k for k = x, y, z, on the grid or on half of it.
        shape: the model's grid (X, Y, Z).

    Returns:
        d = φ − identity, (B, 3, X, Y, Z), voxels.
    """
    stretch = gradients - 1
    if tuple(stretch.shape[2:]) != shape:
        stretch = F.interpolate(stretch, size=shape, mode="trilinear", align_corners=False)
    # One cumulative sum per axis; φ_k(0) = g_k(0) − 1, so the border itself may move by a voxel.
    return torch.stack([stretch[:, k].cumsum(dim=k + 1) for k in range(3)], dim=1)


def sampling_grid(displacement: Tensor) -> Tensor:
    """Where ``grid_sample`` reads for a displacement in voxels.

    Args:
        displacement: (B, 3, X, Y, Z), voxels.

    Returns:
        (B, X, Y, Z, 3) in [-1, 1], last axis reversed as torch orders it, ``align_corners=True``.
    """
    parts = []
    for k, n in enumerate(displacement.shape[2:]):
        axis_shape = [1, 1, 1, 1]
        axis_shape[k + 1] = n
        index = torch.arange(n, dtype=displacement.dtype, device=displacement.device).view(axis_shape)
        parts.append((displacement[:, k] + index) * (2 / max(n - 1, 1)) - 1)
    return torch.stack(parts[::-1], dim=-1)


def warp(volume: Tensor, displacement: Tensor, *, nearest: bool = False, border: bool = False) -> Tensor:
    """Read ``volume`` at i + d(i).

    Args:
        volume: (B, C, X, Y, Z).
        displacement: (B, 3, X', Y', Z'), voxels of ``volume``'s grid.
        nearest: take the nearest voxel instead of the linear interpolation.
        border: repeat the outermost voxels outside the grid instead of reading 0.

    Returns:
        (B, C, X', Y', Z').
    """
    grid = sampling_grid(displacement)
    if displacement.shape[2:] != volume.shape[2:]:
        # sampling_grid normalises by its own size; a coarser field over the same box needs no change.
        raise ValueError(f"field {tuple(displacement.shape)} and volume {tuple(volume.shape)} are on different grids")
    return F.grid_sample(
        volume,
        grid.to(volume.dtype),
        mode="nearest" if nearest else "bilinear",
        padding_mode="border" if border else "zeros",
        align_corners=True,
    )


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The displacement of applying ``first`` to the moving volume and ``second`` to what results.

    ``warp(volume, compose(a, b)) = warp(warp(volume, a), b)`` but for interpolation: d(i) = b(i) + a(i + b(i)).
    """
    return second + warp(first, second, border=True)


def jacobian_determinant(displacement: Tensor) -> Tensor:
    """det of ∂(i + d)/∂i by central differences, one-sided at the border.

    Args:
        displacement: (B, 3, X, Y, Z), voxels.

    Returns:
        (B, X, Y, Z); 1 where the volume is kept.
    """
    rows = []
    for k in range(3):
        derivatives = torch.gradient(displacement[:, k], dim=(1, 2, 3))
        rows.append([derivative + (1.0 if k == axis else 0.0) for axis, derivative in enumerate(derivatives)])
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
