import pytest
import torch

from benchmarks.undone import pooled_box_filter, pooled_box_sum, with_library_norms
from eigenwarp.model import Architecture, RegistrationNetwork, similarity
from eigenwarp.model.architecture import Norm


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_pooling_gives_the_sums_of_the_box_filter(radius: int) -> None:
    x = torch.rand(2, 3, 11, 12, 13)
    torch.testing.assert_close(pooled_box_sum(x, radius), similarity.box_sum(x, radius), rtol=1e-4, atol=1e-3)


def test_the_local_correlation_pools_only_within_the_context() -> None:
    ours = similarity.box_sum
    with pooled_box_filter():
        assert similarity.box_sum is pooled_box_sum
        pooled = similarity.local_correlation(torch.ones(1, 1, 8, 8, 8), torch.ones(1, 1, 8, 8, 8), radius=1)
    assert similarity.box_sum is ours
    assert torch.isfinite(pooled).all()


def test_library_norms_compute_what_ours_do() -> None:
    torch.manual_seed(0)
    shape = (16, 16, 16)
    architecture = Architecture(
        shape=shape, channels=(4, 8), latent_channels=4, full_resolution=False, decoder_norm=Norm.NONE
    )
    network = RegistrationNetwork(architecture)
    volume = torch.rand(2, 1, *shape)
    expected = network.encode(volume)
    with_library_norms(network)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.InstanceNorm3d)]
    assert len(norms) == 4
    torch.testing.assert_close(network.encode(volume), expected, rtol=1e-3, atol=1e-4)
