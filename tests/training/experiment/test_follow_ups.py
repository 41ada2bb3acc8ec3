"""Follow-ups have the change that they are made with."""

import numpy as np
import pytest

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.field import DisplacementField, jacobian_determinant
from eigenwarp.field.interpolation import read_nearest
from eigenwarp.volume import Geometry, Segmentation
from training.experiment.follow_ups import LocalScaling, Turned

GEOMETRY = Geometry.from_spacing((40, 40, 40))
DISTANCE = np.linalg.norm(GEOMETRY.to_world(GEOMETRY.voxel_grid()), axis=-1)
BALL = Segmentation(np.where(DISTANCE < 9, 1, 0).astype(np.uint16), GEOMETRY)


def field_of(pull_back: LocalScaling | Turned) -> DisplacementField:
    points = GEOMETRY.to_world(GEOMETRY.voxel_grid().reshape(-1, 3))
    moved = (pull_back(points) - points).reshape(*GEOMETRY.shape, 3)
    return DisplacementField(moved.astype(np.float32), GEOMETRY)


@pytest.mark.parametrize("change", [-0.3, -0.05, 0.15])
def test_a_label_loses_the_volume_that_it_is_told_to(change: float) -> None:
    shrunk = LocalScaling.of_volume_change(BALL, 1, change)
    # Points anywhere, as the steps of whole voxels would hide a change of 5 %.
    points = np.random.default_rng(0).uniform(-12, 12, size=(200_000, 3))
    before, after = (
        read_nearest(BALL.data, GEOMETRY.to_voxel(at).T).sum(dtype=np.int64) for at in (points, shrunk(points))
    )
    assert after / before - 1 == pytest.approx(change, abs=0.01)
    field = field_of(shrunk)
    assert jacobian_determinant(field).min() > 0.2
    # Far from the label nothing moves.
    assert np.abs(field.displacement[DISTANCE > 19]).max() < 0.05


def test_a_turn_is_right_handed_and_keeps_its_centre() -> None:
    turn = Turned(90.0, (0.0, 0.0, 2.0), np.array([1.0, 0.0, 0.0]))
    # Seen at +y of the centre is what was at +x of it.
    np.testing.assert_allclose(
        turn(np.array([[1.0, 3.0, 5.0], [1.0, 0.0, 0.0]])), [[4.0, 0.0, 5.0], [1.0, 0.0, 0.0]], atol=1e-9
    )


def test_changes_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(DataSetError, match="label 2"):
        LocalScaling.of_volume_change(BALL, 2, -0.1)
    with pytest.raises(OptionInvalidError, match="-95 %"):
        LocalScaling.of_volume_change(BALL, 1, -0.95)
