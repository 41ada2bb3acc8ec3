import pytest
import torch

from eigenwarp.model import Norm, Skips
from tests.model.networks import normal, random_volumes, small_network

ALL = [(norm, skips, full) for norm in Norm for skips in Skips for full in (True, False)]


@pytest.mark.parametrize(("norm", "skips", "full"), ALL)
def test_a_zero_difference_decodes_to_exactly_the_identity(norm: Norm, skips: Skips, full: bool) -> None:
    network = small_network(decoder_norm=norm, skips=skips, full_resolution=full)
    zero = torch.zeros(2, network.architecture.code_length)
    with torch.no_grad():
        assert (network.decode(zero) == 0).all()
        assert network.decode(torch.cat([zero[:1], normal(1, zero.shape[1])]))[0].abs().max() < 1e-5
        volume = random_volumes(1)
        same = network(volume, volume)
        assert same.forward.abs().max() < 1e-4
        assert same.backward.abs().max() < 1e-4


@pytest.mark.parametrize(("norm", "skips", "full"), ALL)
def test_swapping_moving_and_fixed_swaps_forward_and_backward(norm: Norm, skips: Skips, full: bool) -> None:
    network = small_network(decoder_norm=norm, skips=skips, full_resolution=full)
    moving, fixed = random_volumes(2, seed=1), random_volumes(2, seed=2)
    with torch.no_grad():
        one, other = network(moving, fixed), network(fixed, moving)
    assert one.forward.abs().max() > 0.1
    torch.testing.assert_close(one.forward, other.backward, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(one.backward, other.forward, rtol=1e-4, atol=1e-4)


def test_both_directions_are_the_decoded_difference_and_its_negative() -> None:
    network = small_network()
    moving, fixed = random_volumes(1, seed=1), random_volumes(1, seed=2)
    with torch.no_grad():
        difference = network.encode(moving) - network.encode(fixed)
        registered = network(moving, fixed)
        torch.testing.assert_close(registered.forward, network.decode(difference), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(registered.backward, network.decode(-difference), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("skips", list(Skips))
def test_an_encoding_does_not_depend_on_what_else_is_in_the_batch(skips: Skips) -> None:
    network = small_network(skips=skips)
    volumes = random_volumes(4)
    with torch.no_grad():
        together = network.encode(volumes)
        alone = torch.cat([network.encode(volume[None]) for volume in volumes])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert (together[0] - together[1]).abs().max() > 0.01


def test_decoding_does_not_depend_on_what_else_is_in_the_batch() -> None:
    for norm in Norm:
        network = small_network(decoder_norm=norm)
        differences = normal(3, network.architecture.code_length)
        with torch.no_grad():
            alone = torch.cat([network.decode(difference[None]) for difference in differences])
            torch.testing.assert_close(network.decode(differences), alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("skips", list(Skips))
@pytest.mark.parametrize("factor", [0.1, 1.7, 20.0])
def test_without_norms_the_logits_grow_with_the_difference(skips: Skips, factor: float) -> None:
    network = small_network(decoder_norm=Norm.NONE, skips=skips)
    difference = normal(2, network.architecture.code_length)
    with torch.no_grad():
        once = network.decoder.logits(network.unflatten(difference))
        scaled = network.decoder.logits(network.unflatten(factor * difference))
    assert once.abs().max() > 0.1
    torch.testing.assert_close(scaled, factor * once, rtol=1e-4, atol=1e-4 * factor)


def test_with_norms_the_logits_do_not_grow_with_the_difference() -> None:
    network = small_network(decoder_norm=Norm.INSTANCE)
    difference = normal(1, network.architecture.code_length)
    with torch.no_grad():
        once = network.decoder.logits(network.unflatten(difference))
        scaled = network.decoder.logits(network.unflatten(20 * difference))
    assert scaled.abs().max() < 2 * once.abs().max()


@pytest.mark.parametrize("norm", list(Norm))
def test_gradients_stay_between_0_and_2_so_that_each_axis_is_monotonic(norm: Norm) -> None:
    network = small_network(decoder_norm=norm)
    with torch.no_grad():
        gradients = network.gradients(3 * normal(2, network.architecture.code_length))
        displacement = network.decode(3 * normal(2, network.architecture.code_length))
    assert (gradients >= 0).all()
    assert (gradients <= 2).all()
    assert gradients.min() < 0.8
    assert gradients.max() > 1.2
    for k in range(3):
        assert (displacement[:, k].diff(dim=k + 1) > -1.0001).all()


def test_every_parameter_receives_a_gradient() -> None:
    for norm in Norm:
        network = small_network(decoder_norm=norm, skips=Skips.SUBTRACTED, segmentation_classes=2)
        codes, logits = network.encode_and_segment(random_volumes(2))
        assert logits is not None
        (network.decode(codes[:1] - codes[1:]).square().mean() + logits.square().mean()).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


def test_without_segmentation_classes_there_is_no_head() -> None:
    network = small_network()
    code, logits = network.encode_and_segment(random_volumes(1))
    assert network.segmentation_head is None
    assert logits is None
    torch.testing.assert_close(code, network.encode(random_volumes(1)))
