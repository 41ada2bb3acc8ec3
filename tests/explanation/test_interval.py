import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation import bootstrap_interval, proportion_interval


def test_an_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    samples = random.exponential(size=(300, 60))
    intervals = [bootstrap_interval(sample, random, resamples=400) for sample in samples]
    held = np.mean([interval.low <= 1 <= interval.high for interval in intervals])
    assert 0.88 < held < 0.98


def test_subjects_are_drawn_whole() -> None:
    # The ratio of two columns that go together is known exactly, however the subjects are drawn.
    numerator = np.random.default_rng(1).uniform(1, 5, size=20)
    rows = np.column_stack([numerator, 2 * numerator])
    found = bootstrap_interval(rows, np.random.default_rng(2), lambda r: float(r[:, 0].sum() / r[:, 1].sum()))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_subjects_without_a_value_are_left_out() -> None:
    found = bootstrap_interval([1.0, np.nan, 3.0], np.random.default_rng(0))
    assert found.estimate == pytest.approx(2)
    with pytest.raises(OptionInvalidError, match="no subject has a finite value"):
        bootstrap_interval([np.nan], np.random.default_rng(0))


def test_nothing_in_forty_may_still_be_one_in_twelve() -> None:
    found = proportion_interval(0, 40)
    assert (found.estimate, found.low) == (0, 0)
    assert found.high == pytest.approx(0.0876, abs=1e-3)
    assert proportion_interval(40, 40).low == pytest.approx(1 - 0.0876, abs=1e-3)


@pytest.mark.parametrize(("hits", "trials"), [(1, 0), (3, 2), (-1, 4)])
def test_what_is_no_proportion_is_refused(hits: int, trials: int) -> None:
    with pytest.raises(OptionInvalidError, match=f"{hits} of {trials}"):
        proportion_interval(hits, trials)


def test_a_level_outside_its_range_is_refused() -> None:
    with pytest.raises(OptionInvalidError, match="got 95"):
        bootstrap_interval([1.0, 2.0], np.random.default_rng(0), level=95)
