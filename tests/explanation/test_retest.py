"""An imitated second scan: the same subject, elsewhere."""

import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation.retest import Retest, scan_again
from eigenwarp.volume import Geometry, Volume

STILL = Retest(shift_mm=0, rotation_degrees=0, spacing=0, noise=0, gain=0)
GEOMETRY = Geometry.from_spacing((20, 24, 16), (1.0, 1.0, 2.0))
POINTS = GEOMETRY.to_world(GEOMETRY.voxel_grid())
# Linear in the world, so that reading between voxels is exact.
RAMP = Volume((POINTS @ [1.0, 2.0, 3.0] + 500).astype(np.float32), GEOMETRY)


def test_without_any_difference_a_scan_is_the_scan() -> None:
    again = scan_again(RAMP, STILL, np.random.default_rng(0))
    assert again.geometry.matches(GEOMETRY)
    np.testing.assert_allclose(again.data, RAMP.data, atol=1e-3)


def test_other_voxels_see_the_same_world() -> None:
    again = scan_again(RAMP, Retest(0, 0, 0.3, 0, 0), np.random.default_rng(1))
    assert again.shape != GEOMETRY.shape
    np.testing.assert_allclose(again.geometry.centre, GEOMETRY.centre, atol=1e-6)
    inner = (slice(4, -4),) * 3
    seen = (again.geometry.to_world(again.geometry.voxel_grid()) @ [1.0, 2.0, 3.0] + 500)[inner]
    np.testing.assert_allclose(again.data[inner], seen, atol=1e-2)


def test_a_shift_moves_everything_alike() -> None:
    again = scan_again(RAMP, Retest(1.0, 0, 0, 0, 0), np.random.default_rng(2))
    moved = (again.data - RAMP.data)[5:-5, 5:-5, 5:-5]
    assert np.ptp(moved) < 1e-2
    assert abs(moved.mean()) > 0.1


def test_a_change_in_between_is_seen_in_the_scan() -> None:
    again = scan_again(RAMP, STILL, np.random.default_rng(3), lambda points: points + np.array([0.0, 0.0, 2.0]))
    moved = (again.data - RAMP.data)[:, :, :-2]
    np.testing.assert_allclose(moved, 6.0, atol=1e-2)


def test_noise_is_as_strong_as_asked_for() -> None:
    flat = Volume(np.where(POINTS[..., 0] > 0, 100.0, 0.0).astype(np.float32), GEOMETRY)
    again = scan_again(flat, Retest(0, 0, 0, 0.05, 0), np.random.default_rng(4))
    assert float((again.data - flat.data).std()) == pytest.approx(5.0, rel=0.05)


@pytest.mark.parametrize("bad", [{"shift_mm": -1.0}, {"spacing": 1.0}, {"noise": float("nan")}])
def test_impossible_differences_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(OptionInvalidError, match="retest's differences"):
        Retest(**bad)
