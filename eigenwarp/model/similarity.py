"""Similarity of intensities and of label maps."""

import torch
import torch.nn.functional as F
from torch import Tensor


def box_sum(x: Tensor, radius: int) -> Tensor:
    """Sum over cubes of side 2·radius + 1, zero outside.

    Three one-dimensional cumulative sums and a difference each: the cost does not grow with the window, where pooling's
    grows with its volume.

    Args:
        x: (B, C, X, Y, Z).
        radius: voxels.

    Returns:
        The same shape.
    """
    width = 2 * radius + 1
    for axis in (2, 3, 4):
        pad = [0, 0, 0, 0, 0, 0]
        # F.pad counts from the last axis; one more zero in front makes the first difference a whole sum.
        pad[2 * (4 - axis)], pad[2 * (4 - axis) + 1] = radius + 1, radius
        sums = F.pad(x, pad).cumsum(dim=axis)
        n = x.shape[axis]
        x = sums.narrow(axis, width, n) - sums.narrow(axis, 0, n)
    return x


def local_correlation(a: Tensor, b: Tensor, radius: int = 4, epsilon: float = 1e-3) -> Tensor:
    """Squared local normalised cross-correlation, averaged over the grid (L_sim).

    Args:
        a, b: intensities in [0, 1], (B, C, X, Y, Z).
        radius: of the cubic window; 4 gives 9³ voxels.
        epsilon: variance below which a window counts as flat, times the window's volume.

    Returns:
        (B,), 1 for images that are linear functions of each other in every window.
    """
    n = float((2 * radius + 1) ** 3)
    # Shifted to about zero mean: float32 cumulative sums then keep enough digits for the differences of squares.
    a, b = a - 0.5, b - 0.5
    channels = a.shape[1]
    sums = box_sum(torch.cat([a, b, a * a, b * b, a * b], dim=1), radius)
    sum_a, sum_b, sum_aa, sum_bb, sum_ab = torch.split(sums, channels, dim=1)
    covariance = sum_ab - sum_a * sum_b / n
    variance_a = (sum_aa - sum_a * sum_a / n).clamp_min(0)
    variance_b = (sum_bb - sum_b * sum_b / n).clamp_min(0)
    squared = covariance * covariance / (variance_a * variance_b + (epsilon * n) ** 2 * 0.01)
    return squared.mean(dim=(1, 2, 3, 4))


def soft_dice(a: Tensor, b: Tensor, epsilon: float = 1.0) -> Tensor:
    """Dice of two soft label maps (L_seg = 1 − its mean).

    Args:
        a, b: membership in [0, 1] per label, background left out, (B, C, X, Y, Z).
        epsilon: voxels added above and below, for labels that are absent on both sides.

    Returns:
        (B, C), 1 for equal one-hot maps.
    """
    axes = (2, 3, 4)
    overlap = (a * b).sum(dim=axes)
    return (2 * overlap + epsilon) / (a.sum(dim=axes) + b.sum(dim=axes) + epsilon)
