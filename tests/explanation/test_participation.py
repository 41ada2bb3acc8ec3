import numpy as np
import pytest

from eigenwarp.explanation import held_share, participation_ratio, top_share


@pytest.mark.parametrize("count", [1, 3, 32])
def test_one_component_alone_counts_one_and_all_alike_count_all(count: int) -> None:
    one_hot, uniform = -4.0 * np.eye(count)[0], np.full(count, 0.3)
    assert participation_ratio(one_hot) == pytest.approx(1)
    assert participation_ratio(uniform) == pytest.approx(count)
    assert top_share(one_hot) == pytest.approx(1)
    assert top_share(uniform) == pytest.approx(1 / count)


def test_neither_sign_nor_size_nor_order_matter() -> None:
    response = np.array([3.0, -1.0, 0.5, 0.0])
    for other in (-response, 100 * response, response[::-1]):
        assert participation_ratio(other) == pytest.approx(float(participation_ratio(response)))
        assert top_share(other) == pytest.approx(float(top_share(response)))


def test_many_responses_are_measured_at_once() -> None:
    responses = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(participation_ratio(responses), [1, 2, np.nan])
    np.testing.assert_allclose(top_share(responses), [1, 0.5, np.nan])


def test_what_lies_outside_the_basis_is_not_held() -> None:
    difference = np.array([3.0, 0.0, 4.0])
    assert held_share(difference[:1], difference) == pytest.approx(9 / 25)
    assert held_share(difference, difference) == pytest.approx(1)
    assert np.isnan(held_share(np.zeros(1), np.zeros(3)))
