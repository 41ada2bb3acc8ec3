import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation import canonical_correlations, match_components, principal_angles, subspace_overlap


def turned(degrees: float) -> np.ndarray:
    """A plane of four-dimensional space that leans by an angle out of the first two axes' plane."""
    angle = np.radians(degrees)
    return np.array([[1.0, 0, 0, 0], [0, np.cos(angle), np.sin(angle), 0]])


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 30.0, 90.0])
def test_a_leaning_plane_has_its_own_angle(degrees: float) -> None:
    angles = principal_angles(turned(0), turned(degrees))
    np.testing.assert_allclose(angles, [0, degrees], atol=1e-6)
    assert subspace_overlap(angles) == pytest.approx((1 + np.cos(np.radians(degrees)) ** 2) / 2)


def test_a_subspace_is_the_same_under_another_basis_of_it() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(3, 10))
    np.testing.assert_allclose(principal_angles(rows, random.normal(size=(3, 3)) @ rows), np.zeros(3), atol=1e-5)


def test_random_subspaces_overlap_by_their_share_of_the_dimensions() -> None:
    random = np.random.default_rng(1)
    overlaps = [
        subspace_overlap(principal_angles(random.normal(size=(5, 40)), random.normal(size=(5, 40)))) for _ in range(200)
    ]
    assert np.mean(overlaps) == pytest.approx(5 / 40, abs=0.01)


def test_shuffled_and_flipped_components_find_their_counterparts() -> None:
    random = np.random.default_rng(2)
    components = np.linalg.qr(random.normal(size=(12, 4)))[0].T
    order = np.array([2, 0, 3, 1])
    found = match_components(components, (-5 * components)[order])
    np.testing.assert_array_equal(order[found.partner], np.arange(4))
    np.testing.assert_allclose(found.similarity, np.ones(4))


def test_no_counterpart_is_used_twice() -> None:
    first = np.array([[1.0, 0, 0], [0.9, 0.1, 0]])
    found = match_components(first, np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    assert sorted(found.partner) == [0, 1]


def test_scores_under_other_names_correlate_and_noise_does_not() -> None:
    random = np.random.default_rng(3)
    scores = random.normal(size=(200, 3))
    renamed = scores @ random.normal(size=(3, 3)) + 5
    np.testing.assert_allclose(canonical_correlations(scores, renamed), np.ones(3))
    noise = random.normal(size=(200, 30))
    assert canonical_correlations(scores, noise).max() > 0.4  # of the fit: thirty directions to choose from
    held_apart = random.normal(size=(500, 3)), random.normal(size=(500, 30))
    assert canonical_correlations(scores, noise, held_apart).max() < 0.2


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(OptionInvalidError, match="4 and 5 dimensions"):
        principal_angles(np.eye(4)[:2], np.eye(5)[:2])
    with pytest.raises(OptionInvalidError, match="cannot be matched"):
        match_components(np.eye(3), np.eye(3)[:2])
    with pytest.raises(OptionInvalidError, match="length 0"):
        match_components(np.zeros((1, 3)), np.eye(3))
    with pytest.raises(OptionInvalidError, match="no canonical correlations"):
        canonical_correlations(np.ones((3, 4)), np.ones((3, 2)))
