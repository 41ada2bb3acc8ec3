"""How the coefficients of the validation subjects answer to known transformations, in three bases."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from torch import Tensor

from eigenwarp.basis import Basis
from training.experiment.beyond.measured import encode_images, encoded
from training.experiment.beyond.principal import first_components, grid_basis, grid_rows
from training.experiment.known_transformations import PAPER, Kind, KnownTransformation, apply_known
from training.experiment.stage import Workplace

FloatArray = npt.NDArray[np.float64]

LATENTS, WITH_SKIPS, GRIDS = "latents, without skips", "latents, with skips", "deformation grids"
BASES = (LATENTS, WITH_SKIPS, GRIDS)

# Parts of the paper's sizes, either way.
DOSES = (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Response:
    """Of one basis to one transformation.

    Args:
        change: Δa, (N, K), in the basis' own unit.
        energy: |Δ|² of the whole difference, the part outside the basis included, (N,).
    """

    change: FloatArray
    energy: FloatArray


def paper_size(kind: Kind) -> float:
    """The size that the paper gives a kind of transformation."""
    return next(known.size for known in PAPER if known.kind is kind)


@lru_cache(maxsize=1)
def bases(workplace: Workplace) -> dict[str, Basis]:
    """The three bases by name, cut to as many components as the smallest has: more of them would spread wider."""
    without, skips = encoded(workplace)
    found = {LATENTS: without.model.basis, WITH_SKIPS: skips.model.basis, GRIDS: grid_basis(workplace)}
    count = min(basis.count for basis in found.values())
    return {name: first_components(basis, count) for name, basis in found.items()}


@lru_cache(maxsize=64)
def responses(workplace: Workplace, kind: Kind, part: float) -> dict[str, Response]:
    """Of every basis to one transformation of every validation subject.

    Args:
        part: of the paper's size; 1 for figures 5 and 8.
    """
    moved = moved_codes(workplace, kind, part)
    return _responses(workplace, moved, encode_images(workplace.with_skips, _transformed(workplace, kind, part)))


@lru_cache(maxsize=8)
def moved_codes(workplace: Workplace, kind: Kind, part: float) -> npt.NDArray[np.float32]:
    """Encodings of the transformed validation subjects, without skips, (N, D)."""
    return encode_images(workplace.model, _transformed(workplace, kind, part))


def _transformed(workplace: Workplace, kind: Kind, part: float) -> Tensor:
    return apply_known(workplace.prepared_validation.images, KnownTransformation(kind, part * paper_size(kind)))


@lru_cache(maxsize=1)
def between_subjects(workplace: Workplace) -> dict[str, Response]:
    """With the next subject in place of a transformed one: what any difference looks like in these bases."""
    without, skips = encoded(workplace)
    return _responses(workplace, np.roll(without.validation, -1, axis=0), np.roll(skips.validation, -1, axis=0))


def _responses(
    workplace: Workplace, moved: npt.NDArray[np.float32], moved_with_skips: npt.NDArray[np.float32]
) -> dict[str, Response]:
    without, skips = encoded(workplace)
    differences = {
        LATENTS: moved - without.validation,
        WITH_SKIPS: moved_with_skips - skips.validation,
        GRIDS: grid_rows(workplace, moved) - _validation_grids(workplace),
    }
    found = bases(workplace)
    return {
        name: Response(
            change=np.asarray(found[name].project_difference(difference), dtype=np.float64),
            energy=(difference.astype(np.float64) ** 2).sum(axis=1),
        )
        for name, difference in differences.items()
    }


@lru_cache(maxsize=1)
def _validation_grids(workplace: Workplace) -> npt.NDArray[np.float32]:
    return grid_rows(workplace, encoded(workplace)[0].validation)
