import pytest
import torch
from torch import nn

from eigenwarp.model import Norm
from eigenwarp.model.blocks import ConvBlock, InstanceNorm, Upsample
from tests.model.networks import normal


def test_instance_norm_is_torchs_with_learnt_scale_and_shift_and_has_its_gradients() -> None:
    ours, theirs = InstanceNorm(5), nn.InstanceNorm3d(5, affine=True)
    with torch.no_grad():
        for norm in (ours, theirs):
            norm.weight.copy_(normal(5, seed=1))
            norm.bias.copy_(normal(5, seed=2))
    values = 3 * normal(2, 5, 6, 4, 7) + 2
    a, b = values.clone().requires_grad_(), values.clone().requires_grad_()
    x, y = ours(a), theirs(b)
    torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-5)
    weights = normal(*x.shape, seed=3)
    (x * weights).sum().backward()
    (y * weights).sum().backward()
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad, rtol=1e-3, atol=1e-3)


def test_instance_norm_keeps_the_memory_layout_and_stays_finite_on_a_constant_channel() -> None:
    norm = InstanceNorm(4)
    x = normal(2, 4, 4, 4, 4).to(memory_format=torch.channels_last_3d)
    assert norm(x).is_contiguous(memory_format=torch.channels_last_3d)
    flat = torch.full((1, 4, 4, 4, 4), 0.7, requires_grad=True)
    result = norm(flat)
    result.sum().backward()
    torch.testing.assert_close(result, torch.zeros_like(result), rtol=0, atol=1e-2)
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


@pytest.mark.parametrize("block", ["convolution", "strided", "upsample"])
@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_blocks_without_a_norm_are_positively_homogeneous(block: str, factor: float) -> None:
    torch.manual_seed(0)
    layer: nn.Module
    if block == "upsample":
        layer = Upsample(3, 5, norm=Norm.NONE, slope=0.2)
    else:
        layer = ConvBlock(3, 5, norm=Norm.NONE, slope=0.2, stride=2 if block == "strided" else 1)
    x = normal(1, 3, 6, 4, 4)
    torch.testing.assert_close(layer(factor * x), factor * layer(x), rtol=1e-5, atol=1e-6)
    assert not (layer(-x) + layer(x)).abs().max() < 1e-3, "a leaky ReLU is not odd"


@pytest.mark.parametrize("norm", list(Norm))
def test_resolution_halves_with_the_stride_and_doubles_in_the_upsampling(norm: Norm) -> None:
    x = normal(2, 3, 8, 4, 6)
    assert ConvBlock(3, 5, norm=norm, slope=0.2)(x).shape == (2, 5, 8, 4, 6)
    assert ConvBlock(3, 5, norm=norm, slope=0.2, stride=2)(x).shape == (2, 5, 4, 2, 3)
    assert Upsample(3, 5, norm=norm, slope=0.2)(x).shape == (2, 5, 16, 8, 12)


def test_the_initial_weights_keep_the_scale_of_what_passes() -> None:
    torch.manual_seed(0)
    x = normal(1, 32, 8, 8, 8)
    upsampled = Upsample(32, 32, norm=Norm.NONE, slope=0.2)(x)
    convolved = ConvBlock(32, 32, norm=Norm.NONE, slope=0.2)(x)[..., 1:-1, 1:-1, 1:-1]
    for result in (upsampled, convolved):
        assert 0.8 < result.square().mean().item() < 1.25
