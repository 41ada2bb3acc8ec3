"""Networks and displacements small enough for a test."""

import torch
from torch import Tensor

from eigenwarp.model import Architecture, RegistrationNetwork

SHAPE = (16, 16, 16)


def small_architecture(**changes: object) -> Architecture:
    values: dict[str, object] = {"shape": SHAPE, "channels": (4, 8), "latent_channels": 6, "skip_channels": 3}
    return Architecture.from_dict(values | changes)


def small_network(seed: int = 0, **changes: object) -> RegistrationNetwork:
    torch.manual_seed(seed)
    network = RegistrationNetwork(small_architecture(**changes))
    # The last layer starts near zero; scaled up, so that what the tests compare is not nearly nothing.
    with torch.no_grad():
        network.decoder.to_gradients.weight.mul_(30)
    return network.eval()


def random_volumes(count: int, shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, *shape, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def affine_displacement(matrix: Tensor, shape: tuple[int, int, int], offset: Tensor | None = None) -> Tensor:
    """d(i) = (A − 1) i + t: (1, 3, X, Y, Z)."""
    axes = [torch.arange(n, dtype=matrix.dtype) for n in shape]
    index = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    moved = torch.einsum("ij,jxyz->ixyz", matrix - torch.eye(3, dtype=matrix.dtype), index)
    return (moved if offset is None else moved + offset.view(3, 1, 1, 1))[None]
