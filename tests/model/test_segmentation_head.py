import pytest
import torch

from eigenwarp.model.segmentation_head import _gather, _scatter, label_probabilities
from tests.model.networks import normal, random_volumes, small_network


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_gather_and_scatter_are_each_others_inverse(factor: int) -> None:
    x = normal(2, 3, 6, 12, 18)
    gathered = _gather(x, factor)
    assert gathered.shape == (2, 3 * factor**3, 6 // factor, 12 // factor, 18 // factor)
    assert (_scatter(gathered, factor) == x).all()


def test_gathered_channels_are_the_voxels_of_one_block() -> None:
    x = normal(1, 2, 4, 6, 8)
    gathered = _gather(x, 2)
    block = x[0, 1, 2:4, 4:6, 6:8].flatten()
    assert (gathered[0, 8:, 1, 2, 3] == block).all()


@pytest.mark.parametrize("full_resolution", [True, False])
def test_logits_cover_the_grid_with_background_first(full_resolution: bool) -> None:
    shape = (16, 8, 24)
    network = small_network(shape=shape, segmentation_classes=2, full_resolution=full_resolution)
    volume = random_volumes(2, shape)
    with torch.no_grad():
        _, logits = network.encode_and_segment(volume)
    assert logits is not None
    assert logits.shape == (2, 3, *shape)
    assert logits.dtype == torch.float32
    probabilities = label_probabilities(logits)
    assert probabilities.shape == (2, 2, *shape)
    torch.testing.assert_close(probabilities, logits.softmax(dim=1)[:, 1:])


def test_the_head_adds_nothing_to_the_encoding() -> None:
    network = small_network(segmentation_classes=2)
    before = network.encode(random_volumes(1))
    assert network.segmentation_head is not None
    with torch.no_grad():
        for parameter in network.segmentation_head.parameters():
            parameter.add_(1)
    assert (network.encode(random_volumes(1)) == before).all()
