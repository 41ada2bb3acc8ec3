from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from eigenwarp.basis import Basis
from eigenwarp.model import RegistrationNetwork
from eigenwarp.model.refine_field import refine_field
from eigenwarp.model.refine_latent import LatentPrior, refine_latent
from eigenwarp.model.refinement import RefinementConfig, RefinementTarget, level_features, mismatch
from eigenwarp.model.regularity import folding_penalty
from tests.model.networks import SHAPE, normal, small_network

CPU = torch.device("cpu")
CONFIG = RefinementConfig(steps=15, learning_rate=0.1, overlap=1.0, similarity=0.5)


def ball(offset: float, axis: int = 0) -> RefinementTarget:
    """A ball, off the middle along an axis: its image, and the ball itself as the predicted label."""
    centre = torch.full((3,), 7.5)
    centre[axis] += offset
    index = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in SHAPE], indexing="ij"))
    inside = torch.sigmoid(2 * (4.5 - (index - centre.view(3, 1, 1, 1)).norm(dim=0)))[None, None]
    noise = 0.02 * torch.rand(1, 1, *SHAPE, generator=torch.Generator().manual_seed(axis))
    return RefinementTarget((0.2 + 0.6 * inside + noise).clamp(0, 1), inside)


def shift(voxels: float) -> Tensor:
    return torch.tensor([voxels, 0.0, 0.0]).view(1, 3, 1, 1, 1).expand(1, 3, *SHAPE).clone()


def frozen(**changes: object) -> RegistrationNetwork:
    return small_network(decoder_norm="none", **changes).requires_grad_(False)  # type: ignore[arg-type]


def basis(length: int, count: int = 3, subjects: int = 10) -> Basis:
    random = np.random.default_rng(0)
    codes = random.normal(size=(subjects, length)) * np.linspace(2, 0.1, length)
    codes -= codes.mean(axis=0)
    _, singular, directions = np.linalg.svd(codes, full_matrices=False)
    coefficients = codes @ directions[:count].T
    return Basis(
        mean=np.zeros(length),
        components=directions[:count],
        variances=singular[:count] ** 2 / (subjects - 1),
        total_variance=float((singular**2).sum() / (subjects - 1)),
        coefficients=coefficients,
        residuals=np.zeros(subjects),
    )


@pytest.mark.parametrize("only", ["overlap", "similarity", "features"])
def test_every_part_of_the_mismatch_finds_the_better_field(only: str) -> None:
    # The fixed ball lies two voxels further along x, so each of its voxels reads two voxels back.
    network = frozen()
    moving, fixed = (
        replace(target, features=level_features(network.encoder(target.image)[1], SHAPE))
        for target in (ball(-1), ball(1))
    )
    config = replace(CONFIG, **{"overlap": 0.0, "similarity": 0.0, only: 1.0})  # type: ignore[arg-type]
    aligned, apart, further = (mismatch(moving, fixed, shift(voxels), config).item() for voxels in (-2.0, 0.0, 2.0))
    assert aligned < apart < further


def test_parts_without_their_maps_are_left_out() -> None:
    moving, fixed = (RefinementTarget(target.image) for target in (ball(-1), ball(1)))
    config = replace(CONFIG, features=1.0)
    torch.testing.assert_close(
        mismatch(moving, fixed, shift(0), config), mismatch(moving, fixed, shift(0), replace(CONFIG, overlap=0.0))
    )
    assert mismatch(moving, fixed, shift(0), replace(CONFIG, similarity=0.0)) == 0


def test_features_come_on_the_models_grid_with_unit_variance() -> None:
    for full_resolution in (True, False):
        features = frozen(full_resolution=full_resolution).encoder(ball(0).image)[1]
        levelled = level_features(features, SHAPE)
        assert levelled.shape == (1, 4, *SHAPE)
        assert levelled.dtype == torch.float32
        if full_resolution:
            torch.testing.assert_close(levelled.std(dim=(2, 3, 4)), torch.ones(1, 4))


def test_field_refinement_lowers_the_mismatch_and_moves_the_right_way() -> None:
    moving, fixed = ball(-1), ball(1)
    initial = shift(0)
    refined = refine_field(initial, moving, fixed, CONFIG)
    assert refined.shape == initial.shape
    assert not refined.requires_grad
    assert mismatch(moving, fixed, refined, CONFIG) < 0.75 * mismatch(moving, fixed, initial, CONFIG)
    inside = fixed.image[0, 0] > 0.4
    assert refined[0, 0][inside].mean() < -0.5
    assert refined[0, 1:, inside].mean().abs() < 0.5
    assert (initial == 0).all()


def test_without_steps_a_field_stays_to_the_bit() -> None:
    initial = normal(1, 3, *SHAPE)
    assert torch.equal(refine_field(initial, ball(-1), ball(1), replace(CONFIG, steps=0)), initial)


def test_a_tie_keeps_the_field_nearer_to_the_networks() -> None:
    free, tied = (
        refine_field(shift(0), ball(-1), ball(1), replace(CONFIG, tie=tie)).square().mean().item()
        for tie in (0.0, 10.0)
    )
    assert tied < 0.5 * free


def test_a_folding_weight_unfolds_a_field() -> None:
    folded = torch.zeros(1, 3, *SHAPE)
    index = torch.arange(SHAPE[0], dtype=torch.float32)
    # Slope −1.4 across the middle, so the determinant is negative there.
    folded[0, 0] = (-1.4 * (index - 7.5).clamp(-3, 3)).view(-1, 1, 1)
    config = RefinementConfig(steps=20, learning_rate=0.1, overlap=0.0, similarity=0.0, folding=10.0)
    refined = refine_field(folded, ball(0), ball(0), config)
    assert folding_penalty(refined) < 0.5 * folding_penalty(folded)


def test_latent_refinement_lowers_the_mismatch_it_optimises() -> None:
    network, moving, fixed = frozen(), ball(-1), ball(1)
    with torch.no_grad():
        start = network.encode(moving.image) - network.encode(fixed.image)
    refined = refine_latent(network, start, moving, fixed, None, CONFIG)
    assert refined.shape == start.shape
    assert not refined.requires_grad
    before, after = (mismatch(moving, fixed, network.decode(z), CONFIG).item() for z in (start, refined))
    assert after < before - 0.02
    assert all(parameter.grad is None for parameter in network.parameters())


def test_without_steps_a_latent_difference_stays() -> None:
    network = frozen()
    start = normal(1, network.architecture.code_length)
    refined = refine_latent(network, start, ball(-1), ball(1), None, replace(CONFIG, steps=0))
    torch.testing.assert_close(refined, start)


def test_a_latent_difference_of_zero_stays_finite() -> None:
    network = frozen()
    start = torch.zeros(1, network.architecture.code_length)
    refined = refine_latent(network, start, ball(-1), ball(1), None, replace(CONFIG, steps=2))
    assert refined.isfinite().all()


def test_the_prior_keeps_the_difference_among_the_cohorts() -> None:
    network = frozen()
    length = network.architecture.code_length
    prior = LatentPrior(basis(length), CPU)
    start = 0.1 * normal(1, length)
    free, held = (
        prior(refine_latent(network, start, ball(-1), ball(1), prior, replace(CONFIG, prior=weight))).item()
        for weight in (0.0, 10.0)
    )
    assert held < free


def test_the_prior_of_a_typical_difference_is_about_1() -> None:
    length, count, subjects = 40, 3, 30
    found = basis(length, count, subjects)
    prior = LatentPrior(found, CPU)
    assert prior.dimensions == subjects - 1
    along = torch.from_numpy(np.sqrt(2 * found.variances) @ found.components).float()[None]
    # One standard deviation of a difference along each component, and nothing across.
    assert prior(along).item() == pytest.approx(count / prior.dimensions, rel=1e-3)
    across = torch.from_numpy(np.linalg.svd(found.components)[2][-1]).float()[None]
    left = prior.dimensions - count
    assert prior(across * (left * prior.left_variance) ** 0.5).item() == pytest.approx(
        left / prior.dimensions, rel=1e-3
    )
    assert prior(torch.zeros(1, length)).item() == 0


def test_directions_that_the_cohort_varies_little_along_cost_more() -> None:
    found = basis(20)
    prior = LatentPrior(found, CPU)
    costs = [prior(torch.from_numpy(found.direction(k)).float()[None]).item() for k in (1, 2, 3)]
    assert costs == sorted(costs)
