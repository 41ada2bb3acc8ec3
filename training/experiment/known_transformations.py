"""Transformations whose truth is known, applied to a subject to see how its coefficients answer (section 4.1).

The paper turns each validation subject by 20° about z, moves it by 10 voxels along z and scales it "using a factor of
0.2". A subject of a fifth of its size would leave nothing to see, so the factor is read as a change: the anatomy grows
by 20 %.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, isfinite, radians, sin

import torch
from torch import Tensor

from eigenwarp.errors import OptionInvalidError
from eigenwarp.model.warp import warp


class Kind(StrEnum):
    ROTATION = "rotation"
    TRANSLATION = "translation"
    SCALING = "scaling"


_UNITS = {Kind.ROTATION: "° about z", Kind.TRANSLATION: " voxels along z", Kind.SCALING: " in size"}


@dataclass(frozen=True)
class KnownTransformation:
    """What is done to the anatomy, about the centre of the model's grid; the grid is taken to be isotropic.

    Args:
        kind: see ``size``.
        size: rotation: degrees about +z, right-handed. Translation: voxels along +z, towards the head on an RAS grid.
            Scaling: the change of every length, 0.2 for 20 % larger; above −1.

    Raises:
        OptionInvalidError: a size that is not finite, or a scaling that leaves nothing.
    """

    kind: Kind
    size: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))
        if not isfinite(self.size):
            raise OptionInvalidError(f"the size of a {self.kind} must be a finite number, got {self.size}")
        if self.kind is Kind.SCALING and self.size <= -1:
            raise OptionInvalidError(f"a scaling must be above -1, which leaves nothing, got {self.size:g}")

    @property
    def label(self) -> str:
        """For tables and figures, such as ``rotation +20° about z``."""
        if self.kind is Kind.SCALING:
            return f"{self.kind} {100 * self.size:+g} %{_UNITS[self.kind]}"
        return f"{self.kind} {self.size:+g}{_UNITS[self.kind]}"

    @property
    def matrix(self) -> Tensor:
        """The linear part of x' = A x + t, which says where the anatomy at x goes; 3 × 3, x from the grid's centre."""
        if self.kind is Kind.ROTATION:
            c, s = cos(radians(self.size)), sin(radians(self.size))
            return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        return torch.eye(3) * (1 + self.size if self.kind is Kind.SCALING else 1.0)

    @property
    def shift(self) -> Tensor:
        """t of x' = A x + t, voxels, (3,)."""
        return torch.tensor([0.0, 0.0, self.size if self.kind is Kind.TRANSLATION else 0.0])


PAPER = (
    KnownTransformation(Kind.ROTATION, 20.0),
    KnownTransformation(Kind.TRANSLATION, 10.0),
    KnownTransformation(Kind.SCALING, 0.2),
)
"""Those of figures 5 and 8."""


def known_displacement(transformation: KnownTransformation, shape: tuple[int, int, int]) -> Tensor:
    """The pull-back field of a transformation: the transformed volume at x is the volume at x + d(x) = A⁻¹(x − t).

    Args:
        shape: of the model's grid, (X, Y, Z).

    Returns:
        (3, X, Y, Z), voxels.
    """
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    centred = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    inverse = torch.linalg.inv(transformation.matrix)
    moved = centred - transformation.shift.view(3, 1, 1, 1)
    return torch.einsum("ij,jxyz->ixyz", inverse, moved) - centred


def apply_known(volumes: Tensor, transformation: KnownTransformation, *, nearest: bool = False) -> Tensor:
    """Transform volumes on the model's grid.

    Args:
        volumes: (B, C, X, Y, Z); images, or labels as whole numbers with ``nearest``.
        nearest: take the nearest voxel instead of the linear interpolation.

    Returns:
        The same shape; 0, which is background, where nothing of the volume lies.
    """
    x, y, z = volumes.shape[2:]
    displacement = known_displacement(transformation, (x, y, z)).to(volumes.device)
    return warp(volumes, displacement.expand(len(volumes), -1, -1, -1, -1), nearest=nearest)
