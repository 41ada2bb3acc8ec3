"""The phantom comes back in place from every plane, and labels land on their frames. SimpleITK is the oracle."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset

from bridge.dicom.convert import convert_series
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_from_bytes, segmentation_to_bytes, volume_from_bytes, volume_to_bytes
from eigenwarp.volume.resample import resample_linear
from tests.bridge import phantom

PLANES: tuple[phantom.Plane, ...] = ("axial", "coronal", "sagittal")
TURNS = ((0.0, 0.0, 0.0), (8.0, -12.0, 5.0), (35.0, 25.0, -50.0), (-90.0, 17.0, 180.0))
STACKS = [
    pytest.param(phantom.stack(plane, turn), id=f"{plane}{'' if turn == TURNS[0] else turn}")
    for plane in PLANES
    for turn in TURNS
]
RAS = np.array([-1.0, -1.0, 1.0])


def _shuffled(series: list[FileDataset]) -> list[FileDataset]:
    return random.Random(7).sample(series, len(series))


ORDERS: dict[str, Callable[[list[FileDataset]], list[FileDataset]]] = {
    "in order": lambda series: series,
    "reversed": lambda series: series[::-1],
    "shuffled": _shuffled,
}


def _read_by_itk(series: Sequence[FileDataset], folder: Path) -> sitk.Image:
    phantom.save_series(series, folder)
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))


def _place_in_itk(image: sitk.Image, value: int) -> npt.NDArray[np.float64]:
    """LPS mm of the only voxel of that value."""
    ((z, y, x),) = np.argwhere(sitk.GetArrayFromImage(image) == value)
    return np.array(image.TransformIndexToPhysicalPoint((int(x), int(y), int(z))))


def _place(volume: Volume, value: int) -> npt.NDArray[np.float64]:
    """LPS mm of the only voxel of that value."""
    (voxel,) = np.argwhere(volume.data == value)
    return volume.geometry.to_world(voxel) * RAS


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("stack", STACKS)
def test_every_marked_voxel_lies_where_simpleitk_finds_it(stack: phantom.Stack, order: str, tmp_path: Path) -> None:
    series = ORDERS[order](phantom.classic_series(stack))
    found = convert_series(series)
    image = _read_by_itk(series, tmp_path)
    assert found.volume.geometry.orientation == "RAS"
    for number, voxel in enumerate(stack.marked()):
        value = phantom.MARK + number
        place = _place(found.volume, value)
        np.testing.assert_allclose(place, _place_in_itk(image, value), atol=1e-3)
        np.testing.assert_allclose(place, stack.points()[voxel], atol=1e-6)


@pytest.mark.parametrize("stack", STACKS)
def test_between_the_voxels_simpleitk_reads_the_same(stack: phantom.Stack, tmp_path: Path) -> None:
    series = phantom.classic_series(stack)
    volume = convert_series(series).volume
    image = sitk.Cast(_read_by_itk(series, tmp_path), sitk.sitkFloat64)
    inside = np.random.default_rng(3).uniform(1, np.array(stack.shape) - 2, size=(40, 3))
    for point in inside @ stack.affine[:3, :3].T + stack.affine[:3, 3]:
        at = np.eye(4)
        at[:3, 3] = point * RAS
        ours, _ = resample_linear(volume.data, volume.geometry, Geometry((1, 1, 1), at))
        assert float(ours[0, 0, 0]) == pytest.approx(
            image.EvaluateAtPhysicalPoint(point.tolist(), sitk.sitkLinear), rel=1e-4
        )


@pytest.mark.parametrize("stack", STACKS)
def test_labels_drawn_on_the_volume_land_on_the_frames_that_show_them(stack: phantom.Stack) -> None:
    found = convert_series(_shuffled(phantom.classic_series(stack)))
    in_world = found.volume.geometry.to_world(found.volume.geometry.voxel_grid()) * RAS
    drawn = np.zeros(found.volume.shape, dtype=np.uint16)
    for centre, radius, label in phantom.blobs():
        drawn[((in_world - centre) ** 2).sum(axis=-1) <= radius**2] = label
    # Through the file that travels to the service and back: its header has float32.
    travelled = segmentation_from_bytes(segmentation_to_bytes(Segmentation(drawn, found.volume.geometry)))
    np.testing.assert_array_equal(found.labels_on_source(travelled), phantom.labels(stack))
    for k, frame in enumerate(found.frames):
        position = np.array(found.datasets[frame.dataset].ImagePositionPatient, dtype=float)
        np.testing.assert_allclose(position, stack.points()[k, 0, 0], atol=1e-6)


@pytest.mark.parametrize("stack", STACKS)
def test_values_come_back_onto_the_frames_unchanged(stack: phantom.Stack) -> None:
    found = convert_series(phantom.classic_series(stack))
    travelled = volume_from_bytes(volume_to_bytes(found.volume))
    np.testing.assert_array_equal(found.values_on_source(travelled), phantom.intensities(stack))


def test_a_crop_s_labels_land_in_place_and_nothing_is_found_outside_it() -> None:
    stack = phantom.stack("sagittal", (8, -12, 5))
    found = convert_series(phantom.classic_series(stack))
    offset, shape = (3, 4, 5), (8, 9, 10)
    everywhere = Segmentation(np.ones(shape, dtype=np.uint16), found.volume.geometry.cropped(offset, shape))
    on_source = found.labels_on_source(everywhere)
    points = found.volume.geometry.to_voxel(stack.points() * RAS)
    expected = np.all((points > np.array(offset) - 0.5) & (points < np.array(offset) + shape - 0.5), axis=-1)
    np.testing.assert_array_equal(on_source == 1, expected)
    jacobian = Volume(np.full(shape, 2.0, dtype=np.float32), everywhere.geometry)
    np.testing.assert_array_equal(found.values_on_source(jacobian, outside=1.0), np.where(expected, 2.0, 1.0))


def test_values_on_a_grid_of_the_model_s_own_are_resampled() -> None:
    stack = phantom.stack("axial", (8, -12, 5))
    found = convert_series(phantom.classic_series(stack))
    # A finer, turned grid that holds a linear function of the place: trilinear interpolation gives it back exactly.
    affine = np.diag([0.9, 1.1, 0.8, 1.0])
    affine[:3, 3] = (-60, -60, -60)
    grid = Geometry((130, 110, 150), affine)
    slope = np.array([0.5, -1.25, 2.0])
    finer = Volume((grid.to_world(grid.voxel_grid()) @ slope).astype(np.float32), grid)
    np.testing.assert_allclose(found.values_on_source(finer), (stack.points() * RAS) @ slope, atol=1e-3)
