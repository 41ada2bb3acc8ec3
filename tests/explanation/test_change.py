"""Change against the scatter of repeated scans, on scatter that is known."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chi2

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation.change import RepeatNoise

FloatArray = npt.NDArray[np.float64]
SPREAD = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])


def repeats(generator: np.random.Generator, subjects: int, scans: int, scale: FloatArray | float = 1.0) -> FloatArray:
    """Scans that scatter by ``SPREAD`` about subjects that are far apart; ``scale`` stretches a subject's scatter."""
    centres = generator.normal(scale=50, size=(subjects, 1, 3))
    noise = generator.multivariate_normal(np.zeros(3), SPREAD, size=(subjects, scans))
    return centres + np.broadcast_to(np.asarray(scale), subjects)[:, None, None] * noise


def test_the_scatter_is_found_whatever_the_subjects_are() -> None:
    noise = RepeatNoise.of_repeats(repeats(np.random.default_rng(0), 2000, 3))
    np.testing.assert_allclose(noise.covariance, SPREAD, atol=0.15)
    assert noise.degrees == 4000


def test_with_many_repeats_the_distance_is_chi_squared() -> None:
    noise = RepeatNoise(SPREAD, degrees=10**7)
    assert noise.limit(0.95) == pytest.approx(chi2.ppf(0.95, 3), rel=1e-3)
    # Along one eigenvector: the squared length by twice the variance along it.
    values, vectors = np.linalg.eigh(SPREAD)
    found = noise.test(5 * vectors[:, 2])
    assert found.distance_squared == pytest.approx(25 / (2 * values[2]))
    assert found.p_value == pytest.approx(chi2.sf(25 / (2 * values[2]), 3), rel=1e-3)
    assert found.z == pytest.approx(5 * vectors[:, 2] / np.sqrt(2 * np.diag(SPREAD)))


def test_unchanged_pairs_are_called_changed_as_often_as_the_level_says() -> None:
    generator = np.random.default_rng(1)
    noise = RepeatNoise.of_repeats(repeats(generator, 8, 3))
    # Few degrees of freedom: the limit must be well above that of χ².
    assert noise.limit(0.95) > 1.3 * chi2.ppf(0.95, 3)
    alarms = []
    for _ in range(150):
        noise = RepeatNoise.of_repeats(repeats(generator, 8, 3))
        pairs = repeats(generator, 10, 2)
        alarms += [noise.test(pair[1] - pair[0]).exceeds for pair in pairs]
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.015)


def test_calibration_makes_up_for_subjects_that_scatter_more_than_others() -> None:
    generator = np.random.default_rng(2)
    scales = generator.choice([0.5, 2.5], size=120, p=[0.8, 0.2])
    measured = repeats(generator, 120, 3, scales)
    unchanged = repeats(generator, 1500, 2, generator.choice([0.5, 2.5], size=1500, p=[0.8, 0.2]))

    def rate(noise: RepeatNoise) -> float:
        return float(np.mean([noise.test(pair[1] - pair[0]).exceeds for pair in unchanged]))

    plain, calibrated = RepeatNoise.of_repeats(measured), RepeatNoise.calibrated(measured, 0.95)
    assert calibrated.calibration > 1.2
    assert rate(plain) > 0.08
    assert rate(calibrated) == pytest.approx(0.05, abs=0.025)


def test_power_grows_with_the_change_and_begins_at_the_level() -> None:
    noise = RepeatNoise(SPREAD, degrees=60)
    assert noise.power(0.0) == pytest.approx(0.05)
    powers = [noise.power(distance) for distance in (1.0, 5.0, 10.0, 30.0)]
    assert powers == sorted(powers)
    generator = np.random.default_rng(3)
    shift = np.array([4.0, -2.0, 1.0])
    true = float(shift @ np.linalg.solve(2 * SPREAD, shift))
    found = []
    for _ in range(150):
        noise = RepeatNoise.of_repeats(repeats(generator, 20, 4))
        pairs = repeats(generator, 5, 2)
        found += [noise.test(pair[1] - pair[0] + shift).exceeds for pair in pairs]
    assert np.mean(found) == pytest.approx(noise.power(true), abs=0.05)


def test_what_is_no_noise_is_refused() -> None:
    with pytest.raises(OptionInvalidError, match=r"square, got \(2, 3\)"):
        RepeatNoise(np.ones((2, 3)), 10)
    with pytest.raises(OptionInvalidError, match="singular"):
        RepeatNoise(np.ones((3, 3)), 10)
    with pytest.raises(OptionInvalidError, match="2 degrees of freedom"):
        RepeatNoise(SPREAD, 2)
    with pytest.raises(OptionInvalidError, match="calibration must be positive"):
        RepeatNoise(SPREAD, 20, calibration=0.0)
    with pytest.raises(OptionInvalidError, match=r"repeats of shape \(5, 1, 3\)"):
        RepeatNoise.of_repeats(np.zeros((5, 1, 3)))
    with pytest.raises(OptionInvalidError, match="three subjects or more, got 2"):
        RepeatNoise.calibrated(repeats(np.random.default_rng(0), 2, 5))
    noise = RepeatNoise(SPREAD, 20)
    with pytest.raises(OptionInvalidError, match=r"shape \(4,\) for 3"):
        noise.test(np.zeros(4))
    with pytest.raises(OptionInvalidError, match="between 0 and 1, got 95"):
        noise.limit(95)
