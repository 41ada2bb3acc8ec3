import numpy as np
import pytest

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField, warp_points, warp_segmentation, warp_volume
from eigenwarp.volume import Geometry, Segmentation, Volume
from tests.field.pairs import random_geometry, smooth_image


def translation(geometry: Geometry, step: tuple[float, float, float]) -> DisplacementField:
    return DisplacementField(np.broadcast_to(np.float32(step), (*geometry.shape, 3)), geometry)


def test_a_step_of_whole_voxels_moves_the_array_exactly() -> None:
    rng = np.random.default_rng(0)
    geometry = Geometry((6, 7, 8), np.diag([-2.0, 1.0, 0.5, 1.0]))
    image, labels = smooth_image(rng, geometry)
    # Along −x of the world lies +1 of the first axis.
    field = translation(geometry, (-2.0, 0.0, 1.0))
    np.testing.assert_array_equal(warp_volume(image, field).data[:-1, :, :-2], image.data[1:, :, 2:])
    np.testing.assert_array_equal(warp_segmentation(labels, field).data[:-1, :, :-2], labels.data[1:, :, 2:])


@pytest.mark.parametrize("outside", [0.0, -7.0])
def test_outside_the_moving_image_stands_the_given_intensity(outside: float) -> None:
    geometry = Geometry.from_spacing((6, 7, 8))
    image = Volume(np.full(geometry.shape, 5.0), geometry)
    warped = warp_volume(image, translation(geometry, (2.0, 0.0, 0.0)), outside)
    np.testing.assert_allclose(warped.data[:4], 5.0, rtol=1e-6)
    np.testing.assert_array_equal(warped.data[4:], outside)


@pytest.mark.parametrize("order", ["nearest", "linear"])
def test_outside_the_moving_image_there_is_background(order: str) -> None:
    geometry = Geometry.from_spacing((6, 7, 8))
    labels = Segmentation(np.full(geometry.shape, 3, np.uint16), geometry)
    warped = warp_segmentation(labels, translation(geometry, (2.0, 0.0, 0.0)), order)
    assert (warped.data[:4] == 3).all()
    assert (warped.data[4:] == 0).all()


def test_the_result_lies_on_the_fields_grid() -> None:
    rng = np.random.default_rng(1)
    image, labels = smooth_image(rng, random_geometry(rng, (6, 7, 8)))
    fixed = random_geometry(rng, (4, 9, 5))
    field = DisplacementField.identity(fixed)
    assert warp_volume(image, field).geometry is fixed
    assert warp_segmentation(labels, field).geometry is fixed


def test_linear_labels_take_the_label_of_the_larger_share() -> None:
    moving = Segmentation(np.array([0, 2, 9], np.uint16).reshape(3, 1, 1), Geometry((3, 1, 1), np.eye(4)))
    fixed = Geometry((4, 1, 1), np.diag([0.5, 1.0, 1.0, 1.0]))
    at_40_percent = translation(fixed, (0.4, 0.0, 0.0))
    np.testing.assert_array_equal(warp_segmentation(moving, at_40_percent, "linear").data.ravel(), [0, 2, 2, 9])


def test_points_go_the_other_way_to_images() -> None:
    """The bright voxel of the moving image is found by sending its fixed point forwards."""
    rng = np.random.default_rng(2)
    geometry = random_geometry(rng, (9, 9, 9))
    data = np.zeros((9, 9, 9), np.float32)
    data[4, 5, 3] = 1
    field = translation(geometry, tuple(geometry.affine[:3, :3] @ [2, -1, 1]))
    warped = warp_volume(Volume(data, geometry), field)
    brightest = np.unravel_index(warped.data.argmax(), warped.shape)
    assert brightest == (2, 6, 2)
    sent = warp_points(geometry.to_world([brightest]), field)
    np.testing.assert_allclose(geometry.to_voxel(sent), [[4, 5, 3]], atol=1e-4)


@pytest.mark.parametrize(
    ("points", "detail"), [([1, 2, 3], "shape"), ([[1, 2]], "shape"), ([[1, 2, np.nan]], "finite")]
)
def test_points_that_are_none_are_refused(points: list[object], detail: str) -> None:
    with pytest.raises(FieldInvalidError, match=detail):
        warp_points(points, DisplacementField.identity(Geometry.from_spacing((3, 3, 3))))
