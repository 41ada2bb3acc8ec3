"""Refinement of the latent difference with the decoder frozen: the explanation stays whole."""

from collections.abc import Callable

import torch
from torch import Tensor

from eigenwarp.basis import Basis
from eigenwarp.model.network import RegistrationNetwork
from eigenwarp.model.refinement import RefinementConfig, RefinementTarget, mismatch
from eigenwarp.model.regularity import folding_penalty

LATENT_DEFAULTS = RefinementConfig(steps=40, learning_rate=0.1, similarity=0.0, folding=30.0, prior=0.001)


class LatentPrior:
    """Squared Mahalanobis length of a difference of two encodings, per dimension.

    Two subjects drawn from the cohort differ by twice its covariance: 2 σ_j² along component j, and the variance
    that the basis leaves, spread evenly, across it.
    """

    def __init__(self, basis: Basis, device: torch.device) -> None:
        self.components = torch.from_numpy(basis.components).float().to(device)
        self.variances = 2 * torch.from_numpy(basis.variances).float().to(device)
        count, length = basis.components.shape
        # The cohort spans at most its own number of dimensions less one, not all of the encoding's.
        spanned = max(min(len(basis.coefficients) - 1, length) - count, 1)
        left = max(basis.total_variance - float(basis.variances.sum()), 1e-6 * basis.total_variance)
        self.left_variance = 2 * left / spanned
        self.dimensions = count + spanned

    def __call__(self, difference: Tensor) -> Tensor:
        """(1, D) → scalar, about 1 for a typical pair."""
        along = difference @ self.components.T
        across = difference - along @ self.components
        length = (along**2 / self.variances).sum() + (across**2).sum() / self.left_variance
        per_dimension: Tensor = length / self.dimensions
        return per_dimension


def refine_latent(
    network: RegistrationNetwork,
    difference: Tensor,
    moving: RefinementTarget,
    fixed: RefinementTarget,
    prior: LatentPrior | None,
    config: RefinementConfig = LATENT_DEFAULTS,
    *,
    on_step: Callable[[float], None] = lambda share: None,
) -> Tensor:
    """Optimise z in D(z), from z = E(M) − E(F).

    Args:
        difference: (1, D).
        moving, fixed: what is compared.
        prior: keeps z among the differences the cohort shows; None leaves it free.
        on_step: told before each step which share of them is done.

    Returns:
        The refined difference, (1, D).
    """
    scale = difference.square().mean().sqrt().clamp_min(1e-6)
    # In units of the difference's own size, so that one learning rate serves every model.
    variable = (difference / scale).detach().clone().requires_grad_(True)
    optimiser = torch.optim.Adam([variable], lr=config.learning_rate)
    for step in range(config.steps):
        on_step(step / config.steps)
        optimiser.zero_grad(set_to_none=True)
        current = variable * scale
        displacement = network.decode(current)
        loss = mismatch(moving, fixed, displacement, config)
        if config.folding:
            loss = loss + config.folding * folding_penalty(displacement).mean()
        if prior is not None and config.prior:
            loss = loss + config.prior * prior(current)
        loss.backward()
        optimiser.step()
    return (variable * scale).detach()
