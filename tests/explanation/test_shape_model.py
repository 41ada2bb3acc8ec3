import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation import compactness, draw_coefficients, nearest_distances, relative_residuals
from tests.explanation.bases import basis_of, gaussian_cohort


def test_compactness_is_the_cumulative_share() -> None:
    np.testing.assert_allclose(compactness([5, 3, 1], 10), [0.5, 0.8, 0.9])


def test_what_more_components_leave_is_what_reconstruction_leaves() -> None:
    random = np.random.default_rng(0)
    basis = basis_of(gaussian_cohort(random, 20, (3.0, 2.0, 1.0), 15, 0.3), 6)
    new = gaussian_cohort(random, 7, (3.0, 2.0, 1.0), 15, 0.3)
    found = relative_residuals(basis, new, (0, 2, 6))
    np.testing.assert_allclose(found[:, 0], np.ones(7))
    assert (np.diff(found, axis=1) < 0).all()
    np.testing.assert_allclose(found[:, 2], [basis.residual(code) for code in new])
    with pytest.raises(OptionInvalidError, match="between 0 and 6"):
        relative_residuals(basis, new, (7,))


def test_draws_spread_as_the_cohort_does() -> None:
    drawn = draw_coefficients([9.0, 1.0], 20000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.var(axis=0), [9, 1], rtol=0.05)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.03


def test_the_nearest_of_the_cohort_counts() -> None:
    cohort = np.array([[0.0, 0, 0, 0], [10, 10, 10, 10]])
    found = nearest_distances([[0.0, 0, 0, 0], [9, 9, 9, 9], [2, 0, 0, 0]], cohort)
    np.testing.assert_allclose(found, [0, 1, 1])


def test_many_of_the_cohort_are_all_looked_at() -> None:
    cohort = np.arange(500.0)[:, None]
    np.testing.assert_allclose(nearest_distances([[417.25], [63.5]], cohort), [0.25, 0.5])
