import numpy as np
import pytest
import torch

from eigenwarp.errors import OptionInvalidError
from eigenwarp.model import RegistrationNetwork
from tests.training.cohorts import balls, small_config
from training.basis import encode_cohort, fit_basis


def network() -> RegistrationNetwork:
    torch.manual_seed(0)
    return RegistrationNetwork(small_config().architecture).eval()


def test_a_cohort_is_encoded_in_its_order_whatever_the_batch() -> None:
    cohort, net = balls(5), network()
    batches = list(encode_cohort(net, cohort, batch=2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    with torch.no_grad():
        one_by_one = np.concatenate([net.encode(image[None]).numpy() for image in cohort.images])
    np.testing.assert_allclose(np.concatenate(batches), one_by_one, rtol=1e-3, atol=1e-5)


def test_the_basis_is_the_singular_value_decomposition_of_the_centred_encodings() -> None:
    cohort, net, count = balls(9), network(), 4
    found = fit_basis(net, cohort, count)
    codes = np.concatenate(list(encode_cohort(net, cohort))).astype(np.float64)
    mean = codes.mean(axis=0)
    _, singular, directions = np.linalg.svd(codes - mean, full_matrices=False)
    variances = singular**2 / (len(cohort) - 1)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.variances, variances[:count], rtol=1e-3)
    assert found.total_variance == pytest.approx(variances.sum(), rel=1e-4)
    # A direction's sign is free.
    np.testing.assert_allclose(np.abs((found.components * directions[:count]).sum(axis=1)), 1, atol=1e-3)
    np.testing.assert_allclose(found.coefficients, (codes - mean) @ found.components.T, atol=1e-4)
    left = (codes - mean) - (codes - mean) @ directions[:count].T @ directions[:count]
    expected = np.linalg.norm(left, axis=1) / np.linalg.norm(codes - mean, axis=1)
    np.testing.assert_allclose(found.residuals, expected, atol=1e-3)


def test_as_many_components_as_the_cohort_spans_leave_nothing() -> None:
    found = fit_basis(network(), balls(5), 4)
    assert found.explained_variance_ratio.sum() == pytest.approx(1, abs=1e-4)
    assert found.residuals.max() < 1e-2


@pytest.mark.parametrize(("subjects", "count"), [(17, 5), (20, 3), (26, 2), (30, 9)])
def test_a_basis_fitted_in_pieces_is_nearly_the_whole_ones(subjects: int, count: int) -> None:
    cohort, net = balls(subjects), network()
    whole, pieces = (fit_basis(net, cohort, count, incremental=incremental) for incremental in (False, True))
    np.testing.assert_allclose(pieces.mean, whole.mean, rtol=1e-3, atol=1e-5)
    assert pieces.total_variance == pytest.approx(whole.total_variance, rel=1e-3)
    # What each piece forgets lies beyond the directions kept: a hundredth of the variance, and of the
    # subspace; in flat spectra such as these a few hundredths of a single residual.
    np.testing.assert_allclose(pieces.variances, whole.variances, rtol=0.01)
    shared = np.linalg.svd(pieces.components @ whole.components.T, compute_uv=False)
    assert shared.min() > 0.99
    assert pieces.coefficients.shape == whole.coefficients.shape == (subjects, count)
    np.testing.assert_allclose(pieces.residuals, whole.residuals, atol=0.05)


def test_the_first_direction_follows_what_the_cohort_varies_in_most() -> None:
    cohort = balls(12)
    found = fit_basis(network(), cohort, 2)
    assert found.variances[0] > found.variances[1] > 0
    assert found.coefficients[:, 0].std(ddof=1) ** 2 == pytest.approx(found.variances[0], rel=1e-3)


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("count", [-1, 0, 5, 32])
def test_more_components_than_the_cohort_gives_are_refused(count: int, incremental: bool) -> None:
    with pytest.raises(OptionInvalidError, match=f"5 subjects give 1 to 4 components, asked for {count}"):
        fit_basis(network(), balls(5), count, incremental=incremental)
