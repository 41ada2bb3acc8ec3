"""Refinement of the field itself, tied to the network's (after ConvexAdam's instance optimisation)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from eigenwarp.model.refinement import RefinementConfig, RefinementTarget, mismatch
from eigenwarp.model.regularity import folding_penalty, roughness

FIELD_DEFAULTS = RefinementConfig(steps=40, learning_rate=0.1, similarity=0.0, smoothness=0.1, folding=30.0, tie=0.002)


def refine_field(
    initial: Tensor,
    moving: RefinementTarget,
    fixed: RefinementTarget,
    config: RefinementConfig = FIELD_DEFAULTS,
    *,
    on_step: Callable[[float], None] = lambda share: None,
) -> Tensor:
    """Optimise a displacement on half the grid, smoothed in every step.

    The variable is the residual to the network's field, so a residual of zero keeps it exactly.

    Args:
        initial: the network's displacement, (1, 3, X, Y, Z), voxels.
        moving, fixed: what is compared.
        on_step: told before each step which share of them is done.

    Returns:
        The refined displacement, of the same shape.
    """
    shape = initial.shape[2:]
    half = [max(n // 2, 1) for n in shape]
    residual = torch.zeros(1, 3, *half, device=initial.device, requires_grad=True)
    optimiser = torch.optim.Adam([residual], lr=config.learning_rate)
    for step in range(config.steps):
        on_step(step / config.steps)
        optimiser.zero_grad(set_to_none=True)
        added = _expand(residual, shape)
        displacement = initial + added
        loss = mismatch(moving, fixed, displacement, config)
        loss = loss + config.smoothness * roughness(displacement).mean() + config.tie * (added**2).mean()
        if config.folding:
            loss = loss + config.folding * folding_penalty(displacement).mean()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        return initial + _expand(residual, shape)


def _expand(residual: Tensor, shape: torch.Size) -> Tensor:
    """Three box filters, about a Gaussian, then linear interpolation to the grid."""
    for _ in range(3):
        residual = F.avg_pool3d(residual, 3, stride=1, padding=1, count_include_pad=False)
    return F.interpolate(residual, size=tuple(shape), mode="trilinear", align_corners=False)
