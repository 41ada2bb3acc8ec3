"""What the stages measure, on fields and cohorts whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.experiment.beyond.conftest import TRAIN
from training.experiment.beyond.additivity import two_ways
from training.experiment.beyond.alternatives import Method, decompose
from training.experiment.beyond.components_used import region_error, use_components
from training.experiment.beyond.corruptions import CORRUPTIONS, corrupted
from training.experiment.beyond.effects import component_effects, occupancy
from training.experiment.beyond.measured import encode_images, encoded, mean_anatomy, world_field
from training.experiment.beyond.principal import first_components, principal_basis, span_coordinates
from training.experiment.beyond.responses import BASES, bases, responses
from training.experiment.beyond.stability import compare_halves
from training.experiment.known_transformations import Kind
from training.experiment.stage import Workplace


def translation(x: float, y: float, z: float) -> torch.Tensor:
    return torch.tensor([x, y, z], dtype=torch.float32).view(1, 3, 1, 1, 1).expand(1, 3, 8, 8, 8)


def test_constant_translations_add_up_exactly_whatever_the_way() -> None:
    first, second = translation(1, 0, -2), translation(0.5, 1, 0.25)
    whole = first + second
    for name, way in two_ways(whole, first, second, whole / 2, -whole).items():
        assert way.abs().max() < 1e-6, name


def test_ways_that_differ_are_measured_in_their_length() -> None:
    nothing = translation(0, 0, 0)
    ways = two_ways(translation(3, 0, 4), nothing, nothing, nothing, nothing)
    region = torch.zeros(1, 8, 8, 8, dtype=torch.bool)
    region[0, 2:5] = True
    for way in ways.values():
        np.testing.assert_allclose(region_error(way, region), [5], rtol=1e-6)


def test_a_principal_basis_is_the_one_that_a_full_decomposition_gives() -> None:
    rows = (np.random.default_rng(0).normal(size=(14, 60)) * np.linspace(3, 0.1, 60)).astype(np.float32)
    found = principal_basis(rows, 5)
    _, singular, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs((found.components * directions[:5]).sum(axis=1)), np.ones(5), atol=1e-5)
    np.testing.assert_allclose(found.variances, singular[:5] ** 2 / 13, rtol=1e-5)
    assert found.total_variance == pytest.approx(float((singular**2).sum() / 13), rel=1e-5)
    np.testing.assert_allclose(found.residuals, [found.residual(row) for row in rows], atol=1e-4)
    shorter = first_components(found, 2)
    np.testing.assert_allclose(shorter.residuals, [shorter.residual(row) for row in rows], atol=1e-4)


def test_coordinates_of_the_span_keep_every_distance() -> None:
    rows = np.random.default_rng(1).normal(size=(9, 500)).astype(np.float32)
    found = span_coordinates(rows)
    assert found.shape == (9, 8)
    np.testing.assert_allclose(np.linalg.norm(found[0] - found[5]), np.linalg.norm(rows[0] - rows[5]), rtol=1e-5)
    assert (np.diff(found.var(axis=0)) < 0).all()


def test_halves_agree_on_a_direction_that_stands_out_and_not_on_noise() -> None:
    random = np.random.default_rng(2)
    codes = random.normal(size=(60, 200)).astype(np.float32)
    codes[:, 0] += 40 * random.normal(size=60)
    found = compare_halves(codes, 6, random)
    assert np.median(found.matched[:, 0]) > 0.98
    assert np.median(found.matched[:, 3:]) < 0.5
    assert found.overlap[:, 0].mean() > 0.95
    assert found.largest[:, 0].max() < 15


def test_components_used_end_with_the_whole_registration(workplace: Workplace) -> None:
    network, _ = encoded(workplace)
    rows = use_components(network, workplace.prepared_validation)
    assert [row.count for row in rows] == [0, 1, 2, 3, None]
    np.testing.assert_allclose(rows[-1].error_mm, 0)
    energy = np.array([row.energy for row in rows])
    assert (np.diff(energy, axis=0) >= -1e-6).all()
    np.testing.assert_allclose(energy[[0, -1]].mean(axis=1), [0, 1])
    # Differences that lie in the basis lose nothing to it.
    inside = replace(
        network, validation=network.model.basis.reconstruct(network.model.basis.project(network.validation))
    )
    of_basis = use_components(inside, workplace.prepared_validation)[-2]
    np.testing.assert_allclose(of_basis.error_mm, 0, atol=1e-3)
    np.testing.assert_allclose(of_basis.energy, 1, atol=1e-4)


def test_no_transformation_changes_no_coefficient(workplace: Workplace) -> None:
    for basis, response in responses(workplace, Kind.ROTATION, 0.0).items():
        scale = np.sqrt(bases(workplace)[basis].variances[0])
        np.testing.assert_allclose(response.change / scale, 0, atol=1e-3)
    assert tuple(bases(workplace)) == BASES


def test_a_label_s_effect_is_that_of_its_own_motion(workplace: Workplace) -> None:
    up = component_effects(workplace, 1.0)
    assert len(up) == workplace.model.basis.count
    for effect in up:
        for label in effect.labels:
            assert np.linalg.norm(label.displacement_mm) <= label.mean_length_mm + 1e-6
            assert -100 < label.change_percent < 100


def test_an_anatomy_that_is_not_moved_fills_the_same_voxels(workplace: Workplace) -> None:
    anatomy = mean_anatomy(workplace)
    still = world_field(workplace.model, torch.zeros(3, *anatomy.shape))
    np.testing.assert_allclose(occupancy(anatomy, still), anatomy.data > 0, atol=1e-5)
    moved = world_field(workplace.model, torch.tensor([1.0, 0, 0]).view(3, 1, 1, 1).expand(3, *anatomy.shape))
    np.testing.assert_allclose(occupancy(anatomy, moved)[:-1], (anatomy.data > 0)[1:], atol=1e-5)


def test_the_faultless_row_is_what_the_cohort_is_and_every_fault_changes_it(workplace: Workplace) -> None:
    preprocessing, random = workplace.model.preprocessing, np.random.default_rng(0)
    faulty = {c.name: corrupted(workplace.validation, preprocessing, c, random) for c in CORRUPTIONS}
    np.testing.assert_allclose(faulty.pop("none"), workplace.prepared_validation.images, atol=1e-6)
    for name, images in faulty.items():
        assert images.min() >= 0, name
        assert images.max() <= 1, name
        assert (images - workplace.prepared_validation.images).abs().mean() > 1e-3, name


def test_a_flip_is_undone_by_the_same_flip(workplace: Workplace) -> None:
    flipped = next(corruption for corruption in CORRUPTIONS if corruption.name == "second axis flipped")
    images = corrupted(workplace.validation, workplace.model.preprocessing, flipped, np.random.default_rng(0))
    np.testing.assert_allclose(images.flip(3), workplace.prepared_validation.images, atol=1e-6)


@pytest.mark.parametrize("method", list(Method))
def test_every_alternative_is_a_decomposition_of_the_same_cohort(method: Method, workplace: Workplace) -> None:
    network, _ = encoded(workplace)
    basis = network.model.basis
    found = decompose(method, basis, network.train, 0)
    assert found.components.shape == basis.components.shape
    assert (np.diff(found.variances) <= 1e-9).all()
    coefficients = found.project(network.train)
    assert coefficients.shape == (TRAIN, basis.count)
    once = found.reconstruct(coefficients)
    np.testing.assert_allclose(found.reconstruct(found.project(once)), once, atol=1e-3)
    if method is not Method.SPARSE:
        np.testing.assert_allclose(once, basis.reconstruct(basis.project(network.train)), atol=1e-3)


def test_independent_coefficients_are_found_behind_a_mixture() -> None:
    random = np.random.default_rng(3)
    sources = random.laplace(size=(600, 3))
    mixing = np.pad([[1, 0, 0], [0.8, 0.6, 0], [0.6, 0.5, 0.6]], ((0, 0), (0, 37)))
    codes = (sources @ mixing).astype(np.float32)
    found = decompose(Method.ICA, principal_basis(codes, 3), codes, 0)
    correlation = np.abs(np.corrcoef(found.project(codes).T, sources.T)[:3, 3:])
    assert correlation.max(axis=0).min() > 0.95
    assert np.abs(np.corrcoef(principal_basis(codes, 3).coefficients.T, sources.T)[:3, 3:]).max(axis=0).min() < 0.9


def test_encodings_of_the_prepared_images_are_the_stored_ones(workplace: Workplace) -> None:
    network, _ = encoded(workplace)
    again = encode_images(network.model, workplace.prepared_validation.images)
    np.testing.assert_allclose(again, network.validation, atol=1e-5)
