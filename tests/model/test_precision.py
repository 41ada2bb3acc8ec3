import copy

import pytest
import torch

from eigenwarp.model import Norm
from eigenwarp.model.precision import Precision, autocast
from tests.model.networks import random_volumes, small_network


@pytest.mark.parametrize("norm", list(Norm))
def test_bfloat16_stays_close_to_float64(norm: Norm) -> None:
    network = small_network(channels=(8, 12, 16), full_resolution=False, decoder_norm=norm, segmentation_classes=2)
    exact = copy.deepcopy(network).double()
    volumes = random_volumes(2)
    with torch.no_grad():
        code, logits = exact.encode_and_segment(volumes.double())
        field = exact.decode((code[:1] - code[1:]).double())
        single = network.encode(volumes)
        single_field = network.decode(single[:1] - single[1:])
        with autocast(torch.device("cpu"), Precision.BFLOAT16):
            half, half_logits = network.encode_and_segment(volumes)
            half_field = network.decode(half[:1] - half[1:])
    assert half.dtype == torch.float32
    assert half_field.dtype == torch.float32
    assert logits is not None
    assert half_logits is not None
    assert (single - code).norm() / code.norm() < 1e-5
    assert (single_field - field).abs().max() < 1e-3
    assert field.abs().max() > 0.3
    assert (half - code).norm() / code.norm() < 0.02
    assert (half_field - field).square().mean().sqrt() / field.square().mean().sqrt() < 0.05
    assert (half_logits - logits).norm() / logits.norm() < 0.05


def test_float32_leaves_the_computation_alone_and_bfloat16_does_not() -> None:
    network, volume = small_network(), random_volumes(1)
    with torch.no_grad():
        plain = network.encode(volume)
        with autocast(torch.device("cpu"), Precision.FLOAT32):
            assert (network.encode(volume) == plain).all()
        with autocast(torch.device("cpu"), Precision.BFLOAT16):
            assert not (network.encode(volume) == plain).all()
