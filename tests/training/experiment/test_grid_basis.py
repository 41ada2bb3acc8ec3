"""PCA of wide rows is PCA."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from eigenwarp.errors import OptionInvalidError
from training.experiment.encodings import encodings
from training.experiment.grid_basis import deformation_grids, fit_wide_basis, grid_basis
from training.experiment.run import Experiment, open_workplace


def rows(subjects: int = 12, length: int = 100_000) -> np.ndarray:
    """A few strong directions under noise; longer than one part of the sum."""
    generator = np.random.default_rng(0)
    directions = generator.normal(size=(4, length)) * np.array([[3], [2], [1], [0.5]])
    values = generator.normal(size=(subjects, 4)) @ directions + 0.1 * generator.normal(size=(subjects, length)) + 5
    return np.asarray(values, dtype=np.float32)


def test_it_agrees_with_scikit_learn() -> None:
    values = rows()
    basis = fit_wide_basis(values.copy(), 4)
    reference = PCA(4, svd_solver="full").fit(values.astype(np.float64))
    np.testing.assert_allclose(basis.variances, reference.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(basis.explained_variance_ratio, reference.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(np.abs((basis.components * reference.components_).sum(axis=1)), 1, atol=1e-5)
    np.testing.assert_allclose(basis.project(values), basis.coefficients, atol=0.1)
    np.testing.assert_allclose(basis.residuals, [basis.residual(row) for row in values], atol=1e-3)


def test_more_directions_than_subjects_give_are_refused() -> None:
    with pytest.raises(OptionInvalidError, match="12 rows give 1 to 11 directions, asked for 12"):
        fit_wide_basis(rows(), 12)


def test_the_basis_of_the_grids_is_in_millimetres_of_the_decoded_fields(experiment: Experiment) -> None:
    workplace = open_workplace(experiment)
    basis = grid_basis(workplace)
    model = workplace.model
    codes = encodings(workplace, "without skips", "train")
    first = model.decode(codes[0] - model.basis.mean) * np.asarray(model.preprocessing.spacing, dtype=np.float32)
    (grid,) = deformation_grids(model, codes[:1] - model.basis.mean)
    np.testing.assert_array_equal(grid.reshape(first.shape), first)
    np.testing.assert_allclose(basis.project(grid), basis.coefficients[0], atol=1e-3)
    assert grid_basis(workplace) is basis
