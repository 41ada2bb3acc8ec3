"""Known transformations against their closed forms."""

from math import nan

import pytest
import torch
from torch import Tensor

from eigenwarp.errors import OptionInvalidError
from training.experiment.known_transformations import PAPER, Kind, KnownTransformation, apply_known, known_displacement

SHAPE = (17, 19, 21)
CENTRE = torch.tensor([8.0, 9.0, 10.0])


def blob(centre: Tensor, width: float = 2.0) -> Tensor:
    """A Gaussian of any centre, (1, 1, X, Y, Z)."""
    index = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in SHAPE], indexing="ij"), dim=-1)
    return torch.exp(-((index - centre) ** 2).sum(dim=-1) / (2 * width**2))[None, None]


def centre_of_mass(volume: Tensor) -> Tensor:
    index = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in SHAPE], indexing="ij"), dim=-1)
    return (index * volume[0, 0, ..., None]).sum(dim=(0, 1, 2)) / volume.sum()


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    moved = apply_known(blob(CENTRE + torch.tensor([4.0, 0, 1]), 1.5), KnownTransformation(Kind.ROTATION, 90))
    torch.testing.assert_close(centre_of_mass(moved), CENTRE + torch.tensor([0, 4.0, 1]), atol=0.05, rtol=0)


def test_a_rotation_by_twenty_degrees_turns_by_twenty_degrees() -> None:
    moved = centre_of_mass(apply_known(blob(CENTRE + torch.tensor([4.0, 0, 0]), 1.5), PAPER[0])) - CENTRE
    assert torch.rad2deg(torch.atan2(moved[1], moved[0])).item() == pytest.approx(20, abs=0.5)


def test_a_translation_by_whole_voxels_moves_the_array_and_leaves_background() -> None:
    volume = torch.rand(2, 1, *SHAPE, generator=torch.Generator().manual_seed(0))
    moved = apply_known(volume, KnownTransformation(Kind.TRANSLATION, 4))
    torch.testing.assert_close(moved[..., 4:], volume[..., :-4], atol=1e-4, rtol=0)
    assert not moved[..., :3].any()


def test_a_scaling_by_a_fifth_enlarges_every_length_by_it() -> None:
    moved = apply_known(blob(CENTRE), PAPER[2])
    torch.testing.assert_close(moved, blob(CENTRE, 2.4), atol=0.05, rtol=0)
    assert (moved.sum() / blob(CENTRE).sum()).item() == pytest.approx(1.2**3, rel=0.02)


@pytest.mark.parametrize("transformation", PAPER)
def test_the_displacement_is_the_inverse_map(transformation: KnownTransformation) -> None:
    displacement = known_displacement(transformation, SHAPE)
    at = torch.tensor([3, 12, 5])
    read = at + displacement[:, 3, 12, 5]
    there = transformation.matrix @ (read - CENTRE) + transformation.shift + CENTRE
    torch.testing.assert_close(there, at.float(), atol=1e-4, rtol=0)


def test_labels_stay_whole_numbers() -> None:
    labels = torch.randint(0, 3, (1, 1, *SHAPE), generator=torch.Generator().manual_seed(1)).float()
    assert set(apply_known(labels, PAPER[0], nearest=True).unique().tolist()) <= {0.0, 1.0, 2.0}


def test_nothing_is_done_by_size_zero() -> None:
    volume = torch.rand(1, 1, *SHAPE, generator=torch.Generator().manual_seed(2))
    for kind in Kind:
        torch.testing.assert_close(apply_known(volume, KnownTransformation(kind, 0)), volume, atol=1e-5, rtol=0)


def test_sizes_that_mean_nothing_are_refused_by_name() -> None:
    with pytest.raises(OptionInvalidError, match="rotation must be a finite number, got nan"):
        KnownTransformation(Kind.ROTATION, nan)
    with pytest.raises(OptionInvalidError, match=r"above -1.*got -1"):
        KnownTransformation(Kind.SCALING, -1)


def test_labels_for_readers_carry_the_unit() -> None:
    assert [t.label for t in PAPER] == [
        "rotation +20° about z",
        "translation +10 voxels along z",
        "scaling +20 % in size",
    ]
