"""Normalised cross-correlation of two images."""

import math

import numpy as np
import pytest

from eigenwarp.errors import GeometryInvalidError
from eigenwarp.volume import Geometry, Volume
from eigenwarp.volume.correlation import normalised_correlation

GRID = Geometry.from_spacing((6, 7, 8))
NOISE = np.random.default_rng(1).normal(size=(2, *GRID.shape))
IMAGE = Volume(NOISE[0], GRID)


def test_gain_and_offset_do_not_matter_but_the_sign_does() -> None:
    assert normalised_correlation(IMAGE, Volume(3 * NOISE[0] + 1000, GRID)) == pytest.approx(1, abs=1e-5)
    assert normalised_correlation(IMAGE, Volume(-0.5 * NOISE[0], GRID)) == pytest.approx(-1)


def test_it_is_pearsons_coefficient_over_the_voxels_that_count() -> None:
    where = NOISE[1] > 0
    second = Volume(NOISE[0] + NOISE[1], GRID)
    expected = np.corrcoef(IMAGE.data[where], second.data[where])[0, 1]
    assert normalised_correlation(IMAGE, second, where) == pytest.approx(expected, abs=1e-6)


def test_an_image_without_contrast_correlates_with_nothing() -> None:
    assert math.isnan(normalised_correlation(IMAGE, Volume(np.full(GRID.shape, 3.0), GRID)))
    assert math.isnan(normalised_correlation(IMAGE, IMAGE, np.zeros(GRID.shape, dtype=bool)))


def test_two_shapes_are_refused() -> None:
    with pytest.raises(GeometryInvalidError, match="cannot be correlated"):
        normalised_correlation(IMAGE, Volume(NOISE[0, 1:], Geometry.from_spacing((5, 7, 8))))
