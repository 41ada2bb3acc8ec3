import numpy as np
import pytest

from eigenwarp.errors import (
    EmptyVolumeError,
    GeometryInvalidError,
    LabelsNotIntegerError,
    SegmentationGeometryError,
    VoxelsNotFiniteError,
)
from eigenwarp.volume import Geometry, Segmentation, Volume

GRID = Geometry.from_spacing((2, 3, 4))


def test_intensities_are_kept_as_float32() -> None:
    volume = Volume(np.arange(24).reshape(2, 3, 4), GRID)  # type: ignore[arg-type]
    assert volume.data.dtype == np.float32
    assert volume.shape == (2, 3, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_intensities_that_are_not_finite_are_counted(value: float) -> None:
    data = np.zeros((2, 3, 4), np.float32)
    data[0, 0, :2] = value
    with pytest.raises(VoxelsNotFiniteError, match="2 of 24"):
        Volume(data, GRID)


def test_array_and_grid_must_agree() -> None:
    with pytest.raises(GeometryInvalidError, match=r"\(2, 3, 5\)"):
        Volume(np.zeros((2, 3, 5), np.float32), GRID)
    with pytest.raises(GeometryInvalidError, match=r"\(2, 3, 5\)"):
        Segmentation(np.zeros((2, 3, 5), np.uint16), GRID)


def test_an_image_of_one_intensity_has_no_contrast() -> None:
    with pytest.raises(EmptyVolumeError, match="7"):
        Volume(np.full((2, 3, 4), 7, np.float32), GRID).require_contrast()
    Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), GRID).require_contrast()


@pytest.mark.parametrize("value", [0.5, -1, 65536, np.nan, np.inf])
def test_labels_that_are_no_labels_are_named(value: float) -> None:
    data = np.zeros((2, 3, 4))
    data[1, 2, 3] = value
    with pytest.raises(LabelsNotIntegerError, match=f"{data[1, 2, 3]!s} in 1 voxels"):
        Segmentation(data, GRID)  # type: ignore[arg-type]


def test_labels_present_leave_out_background() -> None:
    data = np.zeros((2, 3, 4))
    data[0, 0, :3] = (7, 2, 65535)
    segmentation = Segmentation(data, GRID)  # type: ignore[arg-type]
    assert segmentation.labels == (2, 7, 65535)
    assert segmentation.data.dtype == np.uint16


def test_a_segmentation_must_lie_on_its_volume() -> None:
    volume = Volume(np.zeros((2, 3, 4), np.float32), GRID)
    Segmentation(np.zeros((2, 3, 4), np.uint16), GRID).require_grid_of(volume)
    shifted = GRID.cropped((1, 0, 0), GRID.shape)
    with pytest.raises(SegmentationGeometryError, match="apart"):
        Segmentation(np.zeros((2, 3, 4), np.uint16), shifted).require_grid_of(volume)
