import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.orientations import apply_orientation
from scipy.ndimage import map_coordinates

from eigenwarp.volume import Geometry
from eigenwarp.volume.resample import resample_linear, resample_nearest
from tests.volume.grids import ORIENTATIONS, geometries, noise


@given(geometries(), st.sampled_from(ORIENTATIONS), st.tuples(*[st.integers(-12, 12)] * 3))
def test_coinciding_grids_are_copied_exactly(
    geometry: Geometry, orientation: str, offset: tuple[int, int, int]
) -> None:
    data = noise(geometry.shape)
    turned, transform = geometry.reoriented(orientation)
    target = turned.cropped(offset, (6, 7, 8))
    expected = np.zeros((6, 7, 8), np.float32)
    inside = np.zeros((6, 7, 8), bool)
    canonical = apply_orientation(data, transform)
    for index in np.ndindex(6, 7, 8):
        at = tuple(np.array(index) + offset)
        if all(0 <= i < n for i, n in zip(at, canonical.shape, strict=True)):
            expected[index], inside[index] = canonical[at], True
    for resample in (resample_linear, resample_nearest):
        values, within = resample(data, geometry, target)
        assert np.array_equal(values, expected)
        assert np.array_equal(within, inside)


@given(geometries(smallest=2), geometries())
def test_linear_reading_reproduces_linear_functions_of_the_world(source: Geometry, target: Geometry) -> None:
    # Both grids around one place, or they would seldom meet.
    affine = target.affine.copy()
    affine[:3, 3] += source.centre - target.centre
    target = Geometry(target.shape, affine)
    slope = np.array([0.3, -0.2, 0.5])
    data = ((source.to_world(source.voxel_grid()) - source.centre) @ slope).astype(np.float32)
    values, inside = resample_linear(data, source, target)
    at = source.to_voxel(target.to_world(target.voxel_grid()))
    size = np.array(source.shape)
    within_centres = ((at >= 0) & (at <= size - 1)).all(axis=-1)
    expected = (target.to_world(target.voxel_grid()) - source.centre) @ slope
    assert values[within_centres] == pytest.approx(expected[within_centres], abs=1e-3)
    assert inside[within_centres].all()
    clearly_outside = ((at < -0.501) | (at > size - 0.499)).any(axis=-1)
    assert not inside[clearly_outside].any()
    assert (values[~inside] == 0).all()
    clearly_inside = ((at > -0.499) & (at < size - 0.501)).all(axis=-1)
    assert inside[clearly_inside].all()


@given(geometries(), geometries())
@settings(max_examples=50)
def test_nearest_reading_takes_the_voxel_whose_box_holds_the_point(source: Geometry, target: Geometry) -> None:
    affine = target.affine.copy()
    affine[:3, 3] += source.centre - target.centre
    target = Geometry(target.shape, affine)
    labels = np.arange(1, 1 + np.prod(source.shape)).reshape(source.shape).astype(np.uint16)
    values, inside = resample_nearest(labels, source, target)
    at = source.to_voxel(target.to_world(target.voxel_grid()))
    nearest = np.clip(np.floor(at + 0.5), 0, np.array(source.shape) - 1).astype(int)
    no_tie = (np.abs(at - np.floor(at) - 0.5) > 1e-4).all(axis=-1) & inside
    assert np.array_equal(values[no_tie], labels[tuple(nearest[no_tie].T)])
    assert values.dtype == np.uint16
    assert (values[~inside] == 0).all()


def test_agrees_with_scipy_on_a_finer_oblique_grid() -> None:
    source = Geometry.from_spacing((12, 14, 16), (1.0, 1.5, 2.0))
    angle = np.radians(20)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]) * 0.7
    target = Geometry((9, 10, 11), affine)
    data = noise(source.shape)
    coordinates = np.moveaxis(source.to_voxel(target.to_world(target.voxel_grid())), -1, 0)
    values, inside = resample_linear(data, source, target)
    assert inside.all()
    assert values == pytest.approx(map_coordinates(data, coordinates, order=1), abs=1e-4)


def test_half_way_points_all_go_the_same_way() -> None:
    source = Geometry.from_spacing((4, 4, 4))
    target = source.cropped((0, 0, 0), (3, 3, 3))
    affine = target.affine.copy()
    affine[:3, 3] += 0.5 + 1e-9 * np.array([-1, 0, 1])
    values, _ = resample_nearest(np.arange(64).reshape(4, 4, 4), source, Geometry((3, 3, 3), affine))
    assert np.array_equal(values, np.arange(64).reshape(4, 4, 4)[1:, 1:, 1:])


def test_a_single_slice_is_read_half_a_voxel_to_each_side() -> None:
    source = Geometry.from_spacing((3, 3, 1), (1.0, 1.0, 4.0))
    target = Geometry.from_spacing((3, 3, 9))
    _, inside = resample_linear(noise((3, 3, 1)), source, target)
    assert np.array_equal(inside[1, 1], np.abs(np.arange(9) - 4) <= 2)
