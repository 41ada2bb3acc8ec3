"""What the moving anatomy does beyond the initial alignment, in fields whose motion is known."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from eigenwarp.field import DisplacementField, tissue_motion
from eigenwarp.field.motion import decompose_motion
from eigenwarp.volume import Geometry

WHOLE = (slice(0, 12, 1), slice(0, 14, 1), slice(0, 10, 1))


def rigid(degrees: float, axis: str, shift: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


def field_of(geometry: Geometry, transform: npt.NDArray[np.float64]) -> DisplacementField:
    """x ↦ T x."""
    points = geometry.to_world(geometry.voxel_grid())
    moved = points @ transform[:3, :3].T + transform[:3, 3]
    return DisplacementField((moved - points).astype(np.float32), geometry)


def test_an_alignment_between_oblique_scans_is_no_motion() -> None:
    alignment = rigid(25, "z", (140.0, -60.0, 12.0))
    moving = Geometry((12, 14, 10), alignment @ Geometry.from_spacing((12, 14, 10), (1.0, 1.5, 2.0)).affine)
    inverse = field_of(moving, np.linalg.inv(alignment))
    motion = tissue_motion(inverse, alignment, WHOLE)
    assert np.abs(motion.displacement).max() < 1e-4


def test_a_rotation_beyond_the_alignment_is_found_with_its_angle_in_the_fixed_world() -> None:
    alignment = rigid(40, "x", (30.0, 0.0, -80.0))
    turn = rigid(7, "z", (0.0, 0.0, 0.0))
    grid = Geometry.from_spacing((12, 14, 10), (1.0, 1.5, 2.0))
    moving = Geometry(grid.shape, alignment @ grid.affine)
    # Tissue at y lies at α⁻¹y once aligned, and the registration turns it there.
    inverse = field_of(moving, turn @ np.linalg.inv(alignment))
    motion = decompose_motion(tissue_motion(inverse, alignment, WHOLE))
    assert motion.rotation_share == pytest.approx(1, abs=1e-4)
    assert motion.rotation_degrees == pytest.approx(7, abs=1e-3)
    assert np.abs(motion.rotation_axis) == pytest.approx([0, 0, 1], abs=1e-3)


def test_chosen_voxels_lie_where_the_whole_grid_has_them() -> None:
    generator = np.random.default_rng(0)
    geometry = Geometry.from_spacing((12, 14, 10), (2.0, 1.0, 1.0))
    inverse = DisplacementField(generator.normal(size=(12, 14, 10, 3)).astype(np.float32), geometry)
    alignment = rigid(10, "y", (3.0, 4.0, 5.0))
    chosen = (slice(2, 11, 3), slice(1, 14, 2), slice(4, 9, 1))
    whole, part = tissue_motion(inverse, alignment, WHOLE), tissue_motion(inverse, alignment, chosen)
    np.testing.assert_allclose(part.displacement, whole.displacement[chosen], atol=1e-5)
    corner = np.array([5, 3, 6])
    np.testing.assert_allclose(part.geometry.to_world([1, 1, 2]), whole.geometry.to_world(corner), atol=1e-6)
