import pytest
import torch

from eigenwarp.model.regularity import folding_penalty, roughness
from tests.model.networks import affine_displacement, normal

SHAPE = (6, 7, 8)


def test_a_translation_is_not_rough() -> None:
    shift = torch.tensor([2.0, -1.0, 0.5]).view(1, 3, 1, 1, 1).expand(2, 3, *SHAPE)
    assert (roughness(shift) == 0).all()
    assert roughness(shift).shape == (2,)


@pytest.mark.parametrize("seed", range(3))
def test_roughness_of_a_linear_map_is_the_mean_square_of_its_slopes(seed: int) -> None:
    slopes = normal(3, 3, seed=seed, dtype=torch.float64)
    displacement = affine_displacement(torch.eye(3, dtype=torch.float64) + slopes, SHAPE)
    # Over each of three axes, the mean over three components.
    assert roughness(displacement).item() == pytest.approx(slopes.square().sum().item() / 3, rel=1e-9)


def test_roughness_grows_with_the_square_of_the_field() -> None:
    field = normal(1, 3, *SHAPE)
    torch.testing.assert_close(roughness(3 * field), 9 * roughness(field))


def test_no_folding_is_charged_to_the_identity_or_to_a_gentle_field() -> None:
    assert (folding_penalty(torch.zeros(2, 3, *SHAPE)) == 0).all()
    gentle = affine_displacement(torch.diag(torch.tensor([0.2, 1.5, 1.0])), SHAPE)
    assert (folding_penalty(gentle) == 0).all()


def test_a_fold_is_charged_what_its_determinant_lacks() -> None:
    mirrored = affine_displacement(torch.diag(torch.tensor([-0.5, 1.0, 1.0])), SHAPE)
    torch.testing.assert_close(folding_penalty(mirrored), torch.tensor([0.5]))
    local = torch.zeros(1, 3, *SHAPE)
    local[0, 0, 3:] = -4
    assert folding_penalty(local).item() > 0


def test_regularity_gradients_are_right() -> None:
    field = normal(1, 3, 3, 4, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(roughness, (field,))
    assert torch.autograd.gradcheck(folding_penalty, (field,))
