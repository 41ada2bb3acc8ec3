from dataclasses import replace

import numpy as np
import pytest

from eigenwarp.basis import Basis
from eigenwarp.errors import BundleInvalidError, ComponentOutOfRangeError

SUBJECTS, COUNT, LENGTH = 12, 3, 20


def cohort(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(SUBJECTS, LENGTH)) * np.linspace(3, 0.2, LENGTH) + random.normal(size=LENGTH)


def basis(codes: np.ndarray | None = None) -> Basis:
    codes = cohort() if codes is None else codes
    mean = codes.mean(axis=0)
    _, singular, directions = np.linalg.svd(codes - mean, full_matrices=False)
    components = directions[:COUNT]
    coefficients = (codes - mean) @ components.T
    left = np.linalg.norm(codes - mean - coefficients @ components, axis=1)
    return Basis(
        mean=mean,
        components=components,
        variances=singular[:COUNT] ** 2 / (SUBJECTS - 1),
        total_variance=float((singular**2).sum() / (SUBJECTS - 1)),
        coefficients=coefficients,
        residuals=left / np.linalg.norm(codes - mean, axis=1),
    )


def test_coefficients_come_back_from_their_reconstruction() -> None:
    found, coefficients = basis(), np.array([1.5, -2.0, 0.25])
    np.testing.assert_allclose(found.project(found.reconstruct(coefficients)), coefficients, atol=1e-12)
    np.testing.assert_allclose(found.reconstruct(np.zeros(COUNT)), found.mean)


def test_projecting_the_cohort_gives_its_stored_coefficients() -> None:
    codes, found = cohort(), basis()
    np.testing.assert_allclose(found.project(codes), found.coefficients)
    np.testing.assert_allclose(found.project(codes[4]), found.coefficients[4])
    assert found.reconstruct(found.coefficients).shape == codes.shape


def test_in_the_coefficients_the_cohort_is_centred_and_uncorrelated() -> None:
    found = basis()
    np.testing.assert_allclose(found.coefficient_mean, np.zeros(COUNT), atol=1e-12)
    np.testing.assert_allclose(found.coefficient_covariance, np.diag(found.variances), atol=1e-10)


def test_the_coefficients_of_a_difference_are_the_difference_of_the_coefficients() -> None:
    codes, found = cohort(), basis()
    expected = found.project(codes[0]) - found.project(codes[1])
    np.testing.assert_allclose(found.project_difference(codes[0] - codes[1]), expected)


def test_truncation_keeps_what_the_first_components_hold() -> None:
    codes, found = cohort(), basis()
    difference = codes[0] - codes[1]
    for count in range(1, COUNT + 1):
        kept = found.truncate(difference, count)
        along = found.project_difference(kept)
        np.testing.assert_allclose(along[:count], found.project_difference(difference)[:count])
        np.testing.assert_allclose(along[count:], 0, atol=1e-12)
        np.testing.assert_allclose(found.truncate(kept, count), kept)
    np.testing.assert_allclose(found.truncate(difference), found.truncate(difference, COUNT))


def test_the_residual_is_what_the_basis_leaves() -> None:
    codes, found = cohort(), basis()
    assert [found.residual(code) for code in codes] == pytest.approx(found.residuals.tolist())
    assert found.residual(found.reconstruct(np.array([3.0, 0, 0]))) == pytest.approx(0, abs=1e-12)
    assert found.residual(found.mean) == 0
    across = np.linalg.svd(found.components)[2][-1]
    assert found.residual(found.mean + across) == pytest.approx(1)
    # A right-angled triangle of legs 3 (inside) and 4 (outside).
    assert found.residual(found.mean + 3 * found.direction(1) + 4 * across) == pytest.approx(4 / 5)


def test_mahalanobis_counts_standard_deviations() -> None:
    found = basis()
    for component in range(1, COUNT + 1):
        coefficients = np.zeros(COUNT)
        coefficients[component - 1] = -2 * found.standard_deviation(component)
        assert found.mahalanobis(coefficients) == pytest.approx(2)
    assert found.mahalanobis(np.sqrt(found.variances)) == pytest.approx(np.sqrt(COUNT))
    assert found.mahalanobis(np.zeros(COUNT)) == 0


def test_percentiles_rank_a_subject_among_the_cohort() -> None:
    codes, found = cohort(), basis()
    assert found.mahalanobis_percentile(np.zeros(COUNT)) == 0
    assert found.mahalanobis_percentile(np.full(COUNT, 1e3)) == 100
    ranks = sorted(found.mahalanobis_percentile(row) for row in found.coefficients)
    assert ranks == pytest.approx([100 * place / SUBJECTS for place in range(SUBJECTS)])
    assert found.residual_percentile(found.mean) == 0
    assert found.residual_percentile(codes[found.residuals.argmin()]) == pytest.approx(0, abs=100 / SUBJECTS)
    across = np.linalg.svd(found.components)[2][-1]
    assert found.residual_percentile(found.mean + across) == 100


def test_explained_variance_falls_and_stays_below_all_of_it() -> None:
    ratio = basis().explained_variance_ratio
    assert (np.diff(ratio) <= 0).all()
    assert 0 < ratio.sum() < 1


def test_a_single_component_has_a_covariance_of_one_by_one() -> None:
    whole = basis()
    one = replace(
        whole, components=whole.components[:1], variances=whole.variances[:1], coefficients=whole.coefficients[:, :1]
    )
    assert one.count == 1
    assert one.coefficient_covariance.shape == (1, 1)
    assert one.project(whole.mean).shape == (1,)


def test_directions_are_counted_from_1() -> None:
    found = basis()
    np.testing.assert_array_equal(found.direction(1), found.components[0])
    np.testing.assert_array_equal(found.direction(COUNT), found.components[-1])


@pytest.mark.parametrize("component", [-1, 0, COUNT + 1])
def test_a_component_outside_1_to_k_is_refused(component: int) -> None:
    found = basis()
    with pytest.raises(ComponentOutOfRangeError, match=f"component {component} is outside 1 to {COUNT}"):
        found.direction(component)
    with pytest.raises(ComponentOutOfRangeError):
        found.standard_deviation(component)
    with pytest.raises(ComponentOutOfRangeError):
        found.truncate(found.mean, component)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"mean": np.zeros(LENGTH + 1)}, "mean"),
        ({"variances": np.ones(COUNT + 1)}, "variances"),
        ({"coefficients": np.zeros((SUBJECTS, COUNT - 1))}, "coefficients"),
        ({"coefficients": np.zeros(COUNT)}, "coefficients"),
        ({"coefficients": np.zeros((1, COUNT)), "residuals": np.zeros(1)}, "coefficients"),
        ({"residuals": np.zeros(SUBJECTS - 1)}, "residuals"),
        ({"components": 2 * np.eye(COUNT, LENGTH)}, "orthonormal"),
        ({"components": np.ones((COUNT, LENGTH)) / np.sqrt(LENGTH)}, "orthonormal"),
        ({"components": np.full((COUNT, LENGTH), np.nan)}, "orthonormal"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray], named: str) -> None:
    with pytest.raises(BundleInvalidError, match=named):
        replace(basis(), **change)  # type: ignore[arg-type]
