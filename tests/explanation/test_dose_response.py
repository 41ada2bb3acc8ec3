import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation import fit_dose_response

DOSES = np.array([-2.0, -1.0, 1.0, 2.0])


def test_a_proportional_response_departs_from_nothing() -> None:
    fit = fit_dose_response(DOSES, -0.75 * DOSES)
    assert (fit.slope, fit.r_squared, fit.departure) == pytest.approx((-0.75, 1, 0))


def test_a_straight_response_that_misses_the_origin_departs_from_proportion_alone() -> None:
    fit = fit_dose_response(DOSES, DOSES + 1)
    assert fit.r_squared == pytest.approx(1)
    # Of Σ (d + 1)² = 14 the line through the origin leaves Σ 1 = 4.
    assert fit.departure == pytest.approx(np.sqrt(4 / 14))


def test_a_response_to_the_size_without_its_sign_has_no_slope() -> None:
    fit = fit_dose_response(DOSES, np.abs(DOSES))
    assert (fit.slope, fit.r_squared, fit.departure) == pytest.approx((0, 0, 1))


def test_no_response_is_proportional_to_anything() -> None:
    fit = fit_dose_response(DOSES, np.zeros(4))
    assert (fit.slope, fit.r_squared, fit.departure) == (0, 0, 0)


@pytest.mark.parametrize(("doses", "responses"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 2])])
def test_too_little_for_a_line_is_refused(doses: list[float], responses: list[float]) -> None:
    with pytest.raises(OptionInvalidError, match="a line needs three points"):
        fit_dose_response(doses, responses)
