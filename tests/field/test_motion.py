"""Motions of a closed form come apart into what they were made of."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.field.motion import Motion, decompose_motion
from eigenwarp.volume import Geometry

# Oblique and anisotropic, and longer along one axis, as an organ is.
GRID = Geometry(
    (12, 20, 9),
    np.block(
        [
            [
                Rotation.from_rotvec([0.2, -0.1, 0.3]).as_matrix() @ np.diag([1.0, -1.5, 2.0]),
                np.array([[30.0], [-4], [7]]),
            ],
            [np.zeros((1, 3)), np.ones((1, 1))],
        ]
    ),
)
NAMES = ("translation", "rotation", "scaling", "shear", "rest")


def affine_field(linear: npt.ArrayLike, translation: npt.ArrayLike = (0, 0, 0)) -> DisplacementField:
    """x → c + F (x − c) + t about the grid's centre c."""
    x = GRID.to_world(GRID.voxel_grid()) - GRID.centre
    moved = x @ np.asarray(linear).T + np.asarray(translation)
    return DisplacementField((moved - x).astype(np.float32), GRID)


def shares(motion: Motion) -> dict[str, float]:
    return {name: getattr(motion, f"{name}_share") for name in NAMES}


def assert_only(motion: Motion, name: str) -> None:
    assert shares(motion) == pytest.approx({other: float(other == name) for other in NAMES}, abs=1e-5)


def test_a_translation_is_nothing_else_and_keeps_its_vector() -> None:
    motion = decompose_motion(affine_field(np.eye(3), (1, -2, 0.5)))
    assert_only(motion, "translation")
    assert motion.translation_mm == pytest.approx((1, -2, 0.5), abs=1e-5)
    assert motion.rms_mm == pytest.approx(np.linalg.norm((1, -2, 0.5)), rel=1e-5)


@given(axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1), degrees=st.floats(0.5, 175.0))
def test_a_rotation_of_any_size_is_nothing_else_and_keeps_axis_and_angle(
    axis: tuple[float, float, float], degrees: float
) -> None:
    unit = np.array(axis) / np.linalg.norm(axis)
    motion = decompose_motion(affine_field(Rotation.from_rotvec(np.radians(degrees) * unit).as_matrix()))
    assert_only(motion, "rotation")
    assert motion.rotation_degrees == pytest.approx(degrees, abs=0.01)
    assert motion.rotation_axis == pytest.approx(tuple(unit), abs=1e-3)


@given(factor=st.floats(0.3, 3.0).filter(lambda f: abs(f - 1) > 0.01))
def test_a_scaling_is_nothing_else_and_keeps_its_factor(factor: float) -> None:
    motion = decompose_motion(affine_field(factor * np.eye(3)))
    assert_only(motion, "scaling")
    assert motion.scaling == pytest.approx(factor, rel=1e-4)


def test_a_stretch_that_keeps_volumes_is_shear() -> None:
    motion = decompose_motion(affine_field(np.diag([1.25, 0.8, 1.0])))
    assert_only(motion, "shear")
    assert motion.scaling == pytest.approx(1, abs=1e-5)


def test_the_furthest_stretch_is_named_with_its_axis_whatever_the_scaling_and_the_turn() -> None:
    axes = Rotation.from_rotvec([0.4, 0.1, -0.7]).as_matrix()
    turn = Rotation.from_rotvec([0.1, 0.2, 0]).as_matrix()
    motion = decompose_motion(affine_field(1.1 * turn @ axes @ np.diag([1.0, 0.7, 1 / 0.7]) @ axes.T))
    # 0.7 and 1 / 0.7 are as far from 1 as each other; a little more decides.
    further = decompose_motion(affine_field(1.1 * turn @ axes @ np.diag([1.05, 0.66, 1 / (1.05 * 0.66)]) @ axes.T))
    assert motion.stretch == pytest.approx(0.7, rel=1e-3) or motion.stretch == pytest.approx(1 / 0.7, rel=1e-3)
    assert further.stretch == pytest.approx(0.66, rel=1e-3)
    assert abs(np.array(further.stretch_axis) @ axes[:, 1]) == pytest.approx(1, abs=1e-5)


def test_without_shear_there_is_no_stretch() -> None:
    motion = decompose_motion(affine_field(1.2 * np.eye(3)))
    assert motion.stretch == pytest.approx(1, abs=1e-5)


def test_a_field_orthogonal_to_every_affine_is_rest() -> None:
    index = GRID.voxel_grid()
    # cos over whole periods of the third harmonic along x: no mean, no slope.
    wave = np.cos(6 * np.pi * (index[..., 0] + 0.5) / GRID.shape[0])
    motion = decompose_motion(DisplacementField(np.stack([wave, 0 * wave, 0 * wave], axis=-1).astype(np.float32), GRID))
    assert_only(motion, "rest")


def test_shares_add_up_and_translation_weighs_as_its_square() -> None:
    turn = Rotation.from_rotvec([0.1, 0, 0.2]).as_matrix()
    motion = decompose_motion(affine_field(1.1 * turn @ np.diag([1.1, 1 / 1.1, 1]), (2, 0, 1)))
    assert sum(shares(motion).values()) == pytest.approx(1)
    assert motion.translation_share == pytest.approx(5 / motion.rms_mm**2, rel=1e-4)
    assert motion.rotation_degrees == pytest.approx(np.degrees(np.linalg.norm([0.1, 0, 0.2])), rel=1e-3)
    assert motion.rest_share == pytest.approx(0, abs=1e-5)


def test_only_the_region_counts() -> None:
    region = np.zeros(GRID.shape, dtype=bool)
    region[2:8, 3:15, 1:6] = True
    turned = affine_field(Rotation.from_rotvec([0, 0, 0.1]).as_matrix()).displacement
    noisy = np.where(region[..., None], turned, np.float32(40))
    motion = decompose_motion(DisplacementField(noisy, GRID), region)
    assert motion.rotation_degrees == pytest.approx(np.degrees(0.1), rel=1e-3)
    assert motion.rest_share == pytest.approx(0, abs=1e-5)


def test_where_nothing_moves_nothing_is_shared() -> None:
    motion = decompose_motion(DisplacementField.identity(GRID))
    assert set(shares(motion).values()) == {0.0}
    assert motion.rotation_axis == (0, 0, 0)


def test_regions_without_volume_and_of_other_shapes_are_refused() -> None:
    flat = np.zeros(GRID.shape, dtype=bool)
    flat[3] = True
    with pytest.raises(FieldInvalidError, match="span no volume"):
        decompose_motion(DisplacementField.identity(GRID), flat)
    with pytest.raises(FieldInvalidError, match="span no volume"):
        decompose_motion(DisplacementField.identity(GRID), np.zeros(GRID.shape, dtype=bool))
    with pytest.raises(FieldInvalidError, match="shape"):
        decompose_motion(DisplacementField.identity(GRID), flat[1:])


def test_a_mirroring_is_refused() -> None:
    with pytest.raises(FieldInvalidError, match="mirrors"):
        decompose_motion(affine_field(np.diag([-1.0, 1, 1])))
