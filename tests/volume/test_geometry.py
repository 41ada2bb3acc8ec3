import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.orientations import aff2axcodes, apply_orientation

from eigenwarp.errors import EmptyVolumeError, GeometryInvalidError
from eigenwarp.volume import Geometry
from tests.volume.grids import ORIENTATIONS, geometries


@given(geometries(), st.lists(st.floats(-500, 500), min_size=3, max_size=3))
def test_world_and_voxel_are_inverse(geometry: Geometry, point: list[float]) -> None:
    assert geometry.to_world(geometry.to_voxel(point)) == pytest.approx(point, abs=1e-8)


@given(geometries())
def test_world_follows_the_affine_column_by_column(geometry: Geometry) -> None:
    for axis in range(3):
        step = geometry.to_world(np.eye(3)[axis]) - geometry.to_world((0, 0, 0))
        assert step == pytest.approx(geometry.affine[:3, axis], abs=1e-9)
        assert np.linalg.norm(step) == pytest.approx(geometry.spacing[axis])
    assert geometry.to_world((0, 0, 0)) == pytest.approx(geometry.affine[:3, 3])


@given(geometries(), st.sampled_from(ORIENTATIONS))
def test_reorienting_keeps_every_voxel_in_its_place(geometry: Geometry, orientation: str) -> None:
    turned, transform = geometry.reoriented(orientation)
    positions = geometry.to_world(geometry.voxel_grid())
    carried = np.stack([apply_orientation(positions[..., k], transform) for k in range(3)], axis=-1)
    assert carried.shape[:3] == turned.shape
    assert carried == pytest.approx(turned.to_world(turned.voxel_grid()), abs=1e-9)


@given(geometries(max_tilt=40), st.sampled_from(ORIENTATIONS))
def test_reorienting_reaches_the_orientation(geometry: Geometry, orientation: str) -> None:
    turned, _ = geometry.reoriented(orientation)
    assert turned.orientation == orientation == "".join(aff2axcodes(turned.affine))
    assert turned.voxel_volume == pytest.approx(geometry.voxel_volume)
    assert turned.centre == pytest.approx(geometry.centre, abs=1e-9)


@given(geometries(), st.tuples(*[st.integers(-4, 4)] * 3))
def test_a_crop_keeps_its_voxels_in_their_place(geometry: Geometry, offset: tuple[int, int, int]) -> None:
    crop = geometry.cropped(offset, (2, 3, 4))
    assert crop.to_world((1, 2, 3)) == pytest.approx(geometry.to_world(np.add(offset, (1, 2, 3))), abs=1e-9)
    assert crop.spacing == pytest.approx(geometry.spacing)


def test_from_spacing_is_centred_on_the_origin() -> None:
    geometry = Geometry.from_spacing((4, 5, 6), (1.0, 2.0, 3.0))
    assert geometry.centre == pytest.approx((0, 0, 0))
    assert geometry.spacing == (1.0, 2.0, 3.0)
    assert geometry.voxel_volume == pytest.approx(6.0)
    assert geometry.orientation == "RAS"


def test_grids_match_within_the_tolerance_and_no_further() -> None:
    geometry = Geometry.from_spacing((4, 5, 6))
    near, far = geometry.affine.copy(), geometry.affine.copy()
    near[0, 3] += 0.0005
    far[0, 0] += 0.0005
    assert geometry.matches(Geometry((4, 5, 6), near))
    assert not geometry.matches(Geometry((4, 5, 6), far))
    assert not geometry.matches(Geometry.from_spacing((4, 5, 7)))


def test_the_affine_cannot_be_changed_behind_the_geometry() -> None:
    affine = np.eye(4)
    geometry = Geometry((2, 2, 2), affine)
    affine[0, 0] = 5
    assert geometry.spacing == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        geometry.affine[0, 0] = 5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (((0, 0), np.nan), "not finite"),
        (((0, 3), np.inf), "not finite"),
        (((0, 0), 0.0), "spacing"),
        (((0, 0), 1e-4), "spacing"),
        (((0, 0), 2e3), "spacing"),
        (((0, 3), 1e7), "beyond"),
        (((0, 0), 1e300), "beyond"),
        (((3, 0), 1.0), "last row"),
    ],
)
def test_refuses_an_unusable_affine_by_name(change: tuple[tuple[int, int], float], named: str) -> None:
    affine = np.eye(4)
    affine[change[0]] = change[1]
    with pytest.raises(GeometryInvalidError, match=named):
        Geometry((2, 2, 2), affine)


def test_refuses_axes_that_coincide() -> None:
    affine = np.eye(4)
    affine[:3, 1] = (1, 0, 1e-5)
    with pytest.raises(GeometryInvalidError, match="singular"):
        Geometry((2, 2, 2), affine)


def test_refuses_other_shapes() -> None:
    with pytest.raises(GeometryInvalidError, match="three axes"):
        Geometry((2, 2), np.eye(4))  # type: ignore[arg-type]
    with pytest.raises(GeometryInvalidError, match="4×4"):
        Geometry((2, 2, 2), np.eye(3))
    with pytest.raises(EmptyVolumeError, match=r"\(2, 0, 2\)"):
        Geometry((2, 0, 2), np.eye(4))


@given(geometries())
def test_rotated_grids_have_right_angles(geometry: Geometry) -> None:
    assert geometry.require_right_angles() is geometry


def test_shear_past_the_tolerance_is_named_in_degrees() -> None:
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[0, 1] = 2.0 * np.tan(np.radians(2))
    with pytest.raises(GeometryInvalidError, match=r"2\.00 degrees"):
        Geometry((2, 2, 2), affine).require_right_angles()
    affine[0, 1] = 2.0 * 5e-4
    assert Geometry((2, 2, 2), affine).has_right_angles
