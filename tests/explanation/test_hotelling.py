import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation import cross_validated_scores, outlier_scores, q_limit, t_squared_limit
from tests.explanation.bases import basis_of, gaussian_cohort


def test_the_limit_of_t_squared_holds_for_new_gaussian_subjects() -> None:
    # Small cohorts, where χ² would be wrong: its 95 % point lets 17 % of new subjects pass as outliers here.
    random = np.random.default_rng(0)
    subjects, components, level = 15, 3, 0.95
    limit = t_squared_limit(subjects, components, level)
    below = []
    for _ in range(4000):
        cohort = random.normal(size=(subjects, components))
        new = random.normal(size=components) - cohort.mean(axis=0)
        below.append(new @ np.linalg.solve(np.cov(cohort, rowvar=False), new) <= limit)
    assert np.mean(below) == pytest.approx(level, abs=0.012)


def test_box_s_limit_of_q_holds_for_unequal_directions() -> None:
    random = np.random.default_rng(1)
    q = (random.normal(size=(4000, 30)) ** 2 * np.linspace(0.1, 2, 30)).sum(axis=1)
    assert np.mean(q[2000:] <= q_limit(q[:2000], 0.95)) == pytest.approx(0.95, abs=0.02)
    assert q_limit([2.0, 2.0], 0.99) == 2


def test_scores_split_a_subject_into_inside_and_outside() -> None:
    basis = basis_of(gaussian_cohort(np.random.default_rng(2), 30, (3.0, 1.0), 10, 0.1), 2)
    outwards = np.linalg.svd(basis.components)[2][-1]
    code = basis.mean + 2 * np.sqrt(basis.variances[0]) * basis.components[0] + 0.5 * outwards
    scores = outlier_scores(basis, code[None])
    assert scores.t_squared[0] == pytest.approx(4)
    assert scores.q[0] == pytest.approx(0.25)


def test_only_held_apart_subjects_say_what_q_new_ones_have() -> None:
    random = np.random.default_rng(3)
    codes = gaussian_cohort(random, 400, (5.0, 3.0, 2.0), 300, 0.3)
    train, new = codes[:40], codes[40:]
    basis = basis_of(train, 20)
    held_apart = cross_validated_scores(train, 20, 10, random)
    unseen = outlier_scores(basis, new).q.mean()
    assert outlier_scores(basis, train).q.mean() < 0.7 * unseen
    assert held_apart.q.mean() == pytest.approx(unseen, rel=0.1)


def test_each_subject_is_held_apart_once() -> None:
    codes = gaussian_cohort(np.random.default_rng(4), 21, (2.0,), 8, 0.5)
    codes[13] += 100
    scores = cross_validated_scores(codes, 2, 5, np.random.default_rng(0))
    assert scores.q.argmax() == 13 or scores.t_squared.argmax() == 13
    assert np.isfinite(scores.q).all()


def test_limits_that_do_not_exist_are_refused() -> None:
    with pytest.raises(OptionInvalidError, match="10 components of 10 subjects"):
        t_squared_limit(10, 10, 0.95)
    with pytest.raises(OptionInvalidError, match="level 95"):
        q_limit([1.0, 2.0], 95)
    with pytest.raises(OptionInvalidError, match="6 subjects in 3 folds cannot give 4"):
        cross_validated_scores(np.eye(6), 4, 3, np.random.default_rng(0))
