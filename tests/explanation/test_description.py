from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from eigenwarp.explanation import KINDS, MotionEnergy, Pooled, axis_name, describe_motion, direction_name
from eigenwarp.field import DisplacementField
from eigenwarp.field.motion import Motion, decompose_motion
from eigenwarp.volume import Geometry

GRID = Geometry.from_spacing((24, 20, 16))


def motion_of(move: Callable[[np.ndarray], np.ndarray]) -> Motion:
    """Of points (N, 3) that go to ``move(points)``."""
    points = GRID.to_world(GRID.voxel_grid().reshape(-1, 3))
    return decompose_motion(DisplacementField((move(points) - points).reshape(*GRID.shape, 3), GRID))


def turn(degrees: float, axis: tuple[float, float, float]) -> np.ndarray:
    return Rotation.from_rotvec(degrees * np.array(axis) / np.linalg.norm(axis), degrees=True).as_matrix()


@pytest.mark.parametrize(
    ("axis", "name"),
    [
        ((1, 0, 0), "the left-right axis (in the sagittal plane)"),
        ((0, -1, 0.2), "the anterior-posterior axis (in the coronal plane)"),
        ((0, 0, 1), "the superior-inferior axis (in the axial plane)"),
        ((1, 1, 0), "an axis between left-right and anterior-posterior"),
    ],
)
def test_a_pure_rotation_is_said_with_its_angle_and_axis(axis: tuple[float, float, float], name: str) -> None:
    motion = motion_of(lambda points: points @ turn(7, axis).T)
    assert motion.rotation_share == pytest.approx(1, abs=1e-6)
    assert describe_motion(motion) == f"mostly a rotation of 7.0° about {name}"
    assert axis_name(axis) == name


@pytest.mark.parametrize(
    ("shift", "towards"),
    [
        ((0, 1.2, 0), "anterior"),
        ((-1.2, 0.1, 0), "left"),
        ((0, 0, -1.2), "inferior"),
        ((0.9, 0, 0.8), "right and superior"),
    ],
)
def test_a_pure_translation_is_said_with_its_length_and_direction(
    shift: tuple[float, float, float], towards: str
) -> None:
    motion = motion_of(lambda points: points + np.array(shift))
    assert describe_motion(motion) == f"mostly a translation of 1.2 mm towards {towards}"
    assert direction_name(shift) == towards


def test_growth_and_shrinking_are_told_apart() -> None:
    assert (
        describe_motion(motion_of(lambda points: 1.05 * points)) == "mostly an enlargement of 5.0 % in every direction"
    )
    assert describe_motion(motion_of(lambda points: 0.95 * points)) == "mostly a shrinking of 5.0 % in every direction"


@pytest.mark.parametrize(("factor", "kind"), [(1.1, "a stretch of 10.0 %"), (0.9, "a flattening of 10.0 %")])
def test_a_stretch_along_one_axis_is_said_with_its_axis(factor: float, kind: str) -> None:
    across = factor**-0.5
    motion = motion_of(lambda points: points * np.array((across, factor, across)))
    assert motion.shear_share == pytest.approx(1, abs=1e-6)
    assert describe_motion(motion) == f"mostly {kind} along the anterior-posterior axis"


def test_a_growth_that_no_label_shows_is_not_said() -> None:
    grown = motion_of(lambda points: 1.05 * points)
    assert "enlargement of 5.0 %" in describe_motion(grown, {"head": 15.8, "body": 15.7})
    assert "enlargement" not in describe_motion(grown, {"head": 15.8, "body": -0.5})


def test_two_motions_are_both_named_the_larger_first() -> None:
    line = describe_motion(motion_of(lambda points: points @ turn(10, (1, 0, 0)).T + np.array((0, 0, 0.9))))
    assert line.startswith("mostly a rotation of 10.0° about the left-right axis (in the sagittal plane), with a")
    assert "translation of 0.9 mm towards superior" in line


def test_labels_that_change_are_named_and_others_are_not() -> None:
    still = motion_of(lambda points: points)
    line = describe_motion(still, {"head": 4.2, "body": -12.0, "tail": 0.3})
    assert line == "hardly any motion (0 mm); the head grows by 4 %; the body shrinks by 12 %"


def test_a_bend_is_no_affine_motion() -> None:
    def bend(points: np.ndarray) -> np.ndarray:
        return points + np.stack([0 * points[:, 0], 0 * points[:, 0], np.cos(points[:, 0] / 2)], axis=1)

    assert describe_motion(motion_of(bend)) == "mostly a local, non-affine change of shape"


def test_a_cohort_s_energies_add_up_and_the_far_count_for_more() -> None:
    small = motion_of(lambda points: points + np.array((1.0, 0, 0)))
    large = motion_of(lambda points: 1.5 * points)
    energy = MotionEnergy.of([small, large])
    shares = dict(zip(KINDS, energy.shares(), strict=True))
    expected = large.rms_mm**2 / (1 + large.rms_mm**2)
    assert shares["scaling"] == pytest.approx(expected, abs=1e-6)
    assert sum(shares.values()) == pytest.approx(1)
    assert Pooled(slice(0, 2))(energy.energies) == pytest.approx(1 - expected, abs=1e-6)
    assert Pooled(slice(0, 5))(np.zeros((2, 5))) == 0
