import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from eigenwarp.model.similarity import box_sum, local_correlation, soft_dice
from tests.model.networks import normal

SHAPE = (12, 14, 10)


def textured(seed: int = 0) -> Tensor:
    """A smooth image in [0, 1] with structure in every window."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.0)
    scaled = (noise - noise.min()) / (noise.max() - noise.min())
    return torch.from_numpy(scaled).float()[None, None]


@pytest.mark.parametrize("radius", [0, 1, 2, 4])
def test_box_sums_are_a_convolution_with_ones_up_to_the_border(radius: int) -> None:
    x = normal(2, 3, *SHAPE, dtype=torch.float64)
    width = 2 * radius + 1
    kernel = torch.ones(3, 1, width, width, width, dtype=torch.float64)
    torch.testing.assert_close(box_sum(x, radius), F.conv3d(x, kernel, padding=radius, groups=3), rtol=0, atol=1e-9)


def test_a_box_larger_than_the_image_sums_all_of_it() -> None:
    x = normal(1, 1, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(box_sum(x, 6), x.sum().expand(1, 1, 3, 4, 5))


@pytest.mark.parametrize("radius", [2, 4])
def test_linearly_related_images_correlate_fully_and_noise_does_not(radius: int) -> None:
    image = textured()
    # Outside the grid reads as mid-grey, so a relation that keeps mid-grey holds in the border's windows too.
    related = local_correlation(image, 0.8 - 0.6 * image, radius)
    assert related.shape == (1,)
    assert related.item() > 0.9
    assert local_correlation(image, image, radius).item() > 0.9
    noise = torch.rand(1, 1, *SHAPE, generator=torch.Generator().manual_seed(3))
    assert local_correlation(image, noise, radius).item() < 0.2
    assert local_correlation(image, noise, radius).item() < local_correlation(image, textured(5) + image, radius).item()


def test_the_correlation_is_symmetric_within_0_and_1_and_per_image() -> None:
    a, b = torch.cat([textured(1), textured(2)]), torch.cat([textured(3), textured(2)])
    both = local_correlation(a, b, 2)
    torch.testing.assert_close(both, local_correlation(b, a, 2))
    assert (both >= 0).all()
    assert (both <= 1).all()
    torch.testing.assert_close(both[0], local_correlation(a[:1], b[:1], 2)[0])
    assert both[1] > 0.9 > both[0]


def test_the_correlation_is_the_windows_own_formula() -> None:
    a, b = textured(1), 0.5 * textured(1) + 0.5 * textured(2)
    radius, epsilon = 2, 1e-3
    width = 2 * radius + 1

    def windows(x: Tensor) -> Tensor:
        padded = F.pad(x.double() - 0.5, (radius,) * 6)
        return padded.unfold(2, width, 1).unfold(3, width, 1).unfold(4, width, 1).flatten(5)

    x, y = windows(a), windows(b)
    n = width**3
    x, y = x - x.mean(dim=-1, keepdim=True), y - y.mean(dim=-1, keepdim=True)
    covariance, variances = (x * y).sum(dim=-1), (x * x).sum(dim=-1) * (y * y).sum(dim=-1)
    expected = (covariance**2 / (variances + 0.01 * (epsilon * n) ** 2)).mean().item()
    assert local_correlation(a, b, radius, epsilon).item() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_images_give_next_to_nothing_and_finite_gradients(level: float) -> None:
    flat = torch.full((1, 1, *SHAPE), level, requires_grad=True)
    other = textured().requires_grad_()
    value = local_correlation(flat, other, 4)
    value.sum().backward()
    # Windows across the border see a step between the level and the mid-grey outside.
    assert 0 <= value.item() < (0.001 if level == 0.5 else 0.1)
    for image in (flat, other):
        assert image.grad is not None
        assert image.grad.isfinite().all()


def test_the_gradient_leads_towards_the_other_image() -> None:
    image = torch.rand(1, 1, *SHAPE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = textured()
    before = local_correlation(image, target, 2)
    before.sum().backward()
    assert image.grad is not None
    step = image.grad / image.grad.norm()
    assert local_correlation(image.detach() + 0.5 * step, target, 2).item() > before.item()


def test_images_that_were_rounded_to_bfloat16_keep_the_range() -> None:
    a, b = textured(1).bfloat16().float(), (0.3 + 0.4 * textured(1)).bfloat16().float()
    value = local_correlation(a, b, 4)
    assert 0.85 < value.item() <= 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = local_correlation(a, b, 4)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, value)


def test_similarity_gradients_are_right() -> None:
    a, b = (0.2 + 0.6 * torch.rand(1, 1, 4, 3, 4, dtype=torch.float64) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x: local_correlation(x, b, 1), (a.requires_grad_(),))
    c = torch.rand(1, 2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    d = torch.rand(1, 2, 3, 3, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: soft_dice(x, d), (c,))


def test_soft_dice_counts_overlap_twice() -> None:
    a = torch.zeros(1, 2, 4, 4, 4)
    b = torch.zeros(1, 2, 4, 4, 4)
    a[0, 0, :2] = 1
    b[0, 0, 1:3] = 1
    a[0, 1, 0] = 1
    b[0, 1, 3] = 1
    torch.testing.assert_close(soft_dice(a, b, epsilon=1e-6), torch.tensor([[0.5, 0.0]]), rtol=0, atol=1e-5)
    torch.testing.assert_close(soft_dice(a, a), torch.ones(1, 2))
    torch.testing.assert_close(soft_dice(a, b), soft_dice(b, a))


def test_soft_dice_of_a_label_absent_on_both_sides_is_one() -> None:
    nothing = torch.zeros(1, 1, 4, 4, 4)
    assert soft_dice(nothing, nothing).item() == 1
