from dataclasses import replace
from math import pi

import pytest
import torch

from tests.training.cohorts import NOTHING, SHAPE, balls
from training.augmentation import augment, random_displacement, rotation_matrices
from training.config import AugmentationConfig

STRONG = AugmentationConfig(elastic_voxels=1.0, gamma=0.3, noise=0.05)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pair(subjects: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    cohort = balls(subjects)
    return cohort.images, cohort.one_hot(torch.arange(subjects), 2)


def test_the_same_generator_gives_the_same_changes_and_another_others() -> None:
    images, labels = pair()
    one, other = augment(images, labels, STRONG, generator()), augment(images, labels, STRONG, generator())
    assert (one[0] == other[0]).all()
    assert (one[1] == other[1]).all()
    assert not torch.equal(one[0], augment(images, labels, STRONG, generator(1))[0])


def test_what_is_given_stays_as_it_was() -> None:
    images, labels = pair()
    before = images.clone(), labels.clone()
    augment(images, labels, replace(STRONG, flip_probability=1.0), generator())
    assert (images == before[0]).all()
    assert (labels == before[1]).all()


@pytest.mark.parametrize(("config", "strength"), [(NOTHING, 1.0), (replace(STRONG, flip_probability=0.0), 0.0)])
def test_nothing_asked_for_changes_nothing(config: AugmentationConfig, strength: float) -> None:
    images, labels = pair()
    changed, moved = augment(images, labels, config, generator(), strength)
    torch.testing.assert_close(changed, images, rtol=0, atol=1e-5)
    torch.testing.assert_close(moved, labels, rtol=0, atol=1e-5)


def test_images_stay_within_0_and_1() -> None:
    images, labels = augment(*pair(4), replace(STRONG, noise=0.5), generator())
    assert images.min() >= 0
    assert images.max() <= 1
    assert labels.min() >= 0
    assert labels.max() <= 1 + 1e-6


def test_labels_move_with_their_image() -> None:
    cohort = balls(3)
    labels = cohort.one_hot(torch.arange(3), 2)
    # The image is a label map itself, so both must stay one and the same.
    images = labels[:, :1].clone()
    config = AugmentationConfig(elastic_voxels=1.0)
    changed, moved = augment(images, labels, config, generator())
    torch.testing.assert_close(changed, moved[:, :1])
    assert not torch.allclose(changed, images, atol=0.1)


def test_each_volume_is_changed_on_its_own() -> None:
    images, labels = pair(1)
    changed, _ = augment(images.expand(2, -1, -1, -1, -1), labels.expand(2, -1, -1, -1, -1), STRONG, generator())
    assert (changed[0] - changed[1]).abs().max() > 0.05


def test_flips_mirror_image_and_labels_along_every_axis() -> None:
    images, labels = pair()
    flipped, moved = augment(images, labels, replace(NOTHING, flip_probability=1.0), generator())
    torch.testing.assert_close(flipped, images.flip((2, 3, 4)), rtol=0, atol=1e-5)
    torch.testing.assert_close(moved, labels.flip((2, 3, 4)), rtol=0, atol=1e-5)


def test_gamma_keeps_the_order_of_intensities() -> None:
    images, labels = pair(1)
    changed, _ = augment(images, labels, replace(NOTHING, gamma=0.5), generator())
    order = images.flatten().argsort()
    assert (changed.flatten()[order].diff() >= -1e-3).all()
    assert (changed - images).abs().max() > 0.01


@pytest.mark.parametrize(
    ("config", "bound"),
    [
        (replace(NOTHING, translation_voxels=3.0), 3.0),
        (replace(NOTHING, zoom=0.1), (2.718281828**0.1 - 1) * 7.5),
        (replace(NOTHING, rotation_degrees=0.0), 0.0),
    ],
)
def test_displacements_stay_within_their_amplitude_and_scale_with_the_strength(
    config: AugmentationConfig, bound: float
) -> None:
    displacement = random_displacement(8, SHAPE, config, generator(), 1.0)
    assert displacement.shape == (8, 3, *SHAPE)
    assert displacement.abs().max() <= bound + 1e-4
    assert displacement.abs().max() >= 0.5 * bound
    half = random_displacement(8, SHAPE, config, generator(), 0.5)
    torch.testing.assert_close(half, 0.5 * displacement, rtol=0.1, atol=1e-4)


def test_rotation_and_zoom_leave_the_grids_centre_in_place() -> None:
    shape = (15, 17, 13)
    displacement = random_displacement(4, shape, AugmentationConfig(translation_voxels=0.0), generator(), 1.0)
    assert displacement[:, :, 7, 8, 6].abs().max() < 1e-5
    assert displacement.abs().max() > 0.5


def test_rotation_matrices_are_rotations() -> None:
    angles = 3 * (torch.rand(20, 3, generator=generator()) - 0.5)
    matrices = rotation_matrices(angles)
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).expand(20, 3, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(20), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("axis", "start", "end"), [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_a_quarter_turn_about_an_axis_is_counterclockwise(axis: int, start: int, end: int) -> None:
    angles = torch.zeros(1, 3)
    angles[0, axis] = pi / 2
    unit = torch.eye(3)
    turned = rotation_matrices(angles)[0] @ unit[start]
    torch.testing.assert_close(turned, unit[end], rtol=0, atol=1e-6)


def test_the_turn_about_z_is_applied_first() -> None:
    angles = torch.tensor([[0.3, -0.5, 0.7]])
    x, y, z = (rotation_matrices(angles * unit)[0] for unit in torch.eye(3))
    torch.testing.assert_close(rotation_matrices(angles)[0], x @ y @ z)
