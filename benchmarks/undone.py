"""Plain ways of doing what the training step does faster. None of them is an option of the product."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch.nn.functional as F
from torch import Tensor, nn

from eigenwarp.model import similarity
from eigenwarp.model.blocks import InstanceNorm


def pooled_box_sum(x: Tensor, radius: int) -> Tensor:
    """``similarity.box_sum`` by average pooling: the same sums, at a cost that grows with the window's volume."""
    width = 2 * radius + 1
    return F.avg_pool3d(x, width, stride=1, padding=radius) * float(width**3)


@contextmanager
def pooled_box_filter() -> Iterator[None]:
    """Let the local correlation pool while the context lasts."""
    ours = similarity.box_sum
    similarity.box_sum = pooled_box_sum
    try:
        yield
    finally:
        similarity.box_sum = ours


def with_library_norms(module: nn.Module) -> None:
    """Put ``torch.nn.InstanceNorm3d`` in place of every norm of ours, in place, with the same parameters."""
    for name, child in list(module.named_children()):
        if isinstance(child, InstanceNorm):
            theirs = nn.InstanceNorm3d(len(child.weight), eps=child.epsilon, affine=True)
            theirs.weight, theirs.bias = child.weight, child.bias
            setattr(module, name, theirs)
        else:
            with_library_norms(child)
