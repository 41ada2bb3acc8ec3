import numpy as np
import pytest

from eigenwarp.basis import Basis
from eigenwarp.errors import BundleInvalidError
from eigenwarp.explanation import match_components, rotate_basis, varimax
from tests.explanation.bases import basis_of, gaussian_cohort


def sparse_rows() -> np.ndarray:
    """Four orthonormal rows that use ten places each, none in common."""
    rows = np.kron(np.eye(4), np.ones(10))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_it_finds_the_sparse_rows_behind_a_rotation() -> None:
    random = np.random.default_rng(0)
    hidden = np.linalg.qr(random.normal(size=(4, 4)))[0] @ sparse_rows()
    assert match_components(sparse_rows(), hidden).similarity.min() < 0.9
    found = varimax(hidden)
    np.testing.assert_allclose(found @ found.T, np.eye(4), atol=1e-10)
    assert match_components(sparse_rows(), found @ hidden).similarity.min() > 0.9999


def basis() -> Basis:
    return basis_of(gaussian_cohort(np.random.default_rng(1), 25, (3.0, 2.0, 1.0), 12, 0.1), 3)


def test_a_rotated_basis_spans_the_same_and_reconstructs_the_same() -> None:
    before = basis()
    after = rotate_basis(before, varimax(before.components))
    code = np.random.default_rng(2).normal(size=12)
    np.testing.assert_allclose(after.reconstruct(after.project(code)), before.reconstruct(before.project(code)))
    assert after.variances.sum() == pytest.approx(before.variances.sum())
    assert (np.diff(after.variances) <= 0).all()
    np.testing.assert_allclose(after.coefficients.var(axis=0, ddof=1), after.variances)


def test_what_is_no_rotation_makes_no_basis() -> None:
    with pytest.raises(BundleInvalidError, match="not orthonormal"):
        rotate_basis(basis(), 2 * np.eye(3))
