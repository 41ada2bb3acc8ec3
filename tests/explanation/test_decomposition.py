import numpy as np
import pytest

from eigenwarp.errors import BundleInvalidError
from eigenwarp.explanation import Decomposition, ObliqueDirections
from tests.explanation.bases import basis_of, gaussian_cohort

CODES = gaussian_cohort(np.random.default_rng(0), 30, (3.0, 2.0, 1.0), 12, 0.2)


def test_leaning_directions_give_back_what_their_span_holds() -> None:
    found = ObliqueDirections.fit([[1.0, 0] + 10 * [0.0], [4.0, 3.0] + 10 * [0.0]], CODES.mean(axis=0), CODES)
    code = found.mean + np.eye(12)[0] * 5 + np.eye(12)[1] * -2
    np.testing.assert_allclose(found.reconstruct(found.project(code)), code, atol=1e-12)
    np.testing.assert_allclose(found.project_difference(3 * found.components[1]), [0, 3], atol=1e-12)


def test_no_point_of_the_span_is_nearer_than_the_reconstruction() -> None:
    random = np.random.default_rng(1)
    found = ObliqueDirections.fit(random.normal(size=(3, 12)), CODES.mean(axis=0), CODES)
    code = random.normal(size=12)
    left = code - found.reconstruct(found.project(code))
    np.testing.assert_allclose(found.components @ left, np.zeros(3), atol=1e-12)


def test_at_right_angles_it_is_the_basis() -> None:
    basis = basis_of(CODES, 3)
    same = ObliqueDirections.fit(basis.components[::-1], basis.mean, CODES)
    np.testing.assert_allclose(same.project(CODES), basis.project(CODES), atol=1e-10)
    np.testing.assert_allclose(same.variances, basis.variances)
    either: list[Decomposition] = [basis, same]
    assert len({decomposition.components.shape for decomposition in either}) == 1


def test_directions_without_coefficients_are_refused() -> None:
    mean = np.zeros(12)
    with pytest.raises(BundleInvalidError, match="depend on one another"):
        ObliqueDirections.fit([np.eye(12)[0], np.eye(12)[0]], mean, CODES)
    with pytest.raises(BundleInvalidError, match="length 1, got 0"):
        ObliqueDirections(mean, np.zeros((1, 12)), np.ones(1))
    with pytest.raises(BundleInvalidError, match=r"mean \(11,\)"):
        ObliqueDirections(mean[:11], np.eye(12)[:1], np.ones(1))
