"""Series from real scanners, read as SimpleITK reads them."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread

from bridge.dicom.convert import convert_series
from bridge.dicom.series_volume import SYNTHETIC_GEOMETRY, SeriesVolume
from bridge.errors import MissingSliceError
from eigenwarp.volume.nifti import volume_to_bytes

SERIES = {
    "study3_t1": ((280, 320, 22), (0.6875, 0.6875, 6.5), True),
    "study1_hippocampus_crop": ((35, 51, 32), (1.0, 1.0, 1.0), False),
    "study3_hippocampus_crop": ((34, 50, 40), (1.0, 1.0, 1.0), False),
}


def _converted(folder: Path) -> SeriesVolume:
    return convert_series([dcmread(path) for path in sorted(folder.glob("*.dcm"))])


@pytest.mark.parametrize("name", SERIES)
def test_a_real_series_lies_where_simpleitk_puts_it(dicom: Path, name: str) -> None:
    shape, spacing, writable = SERIES[name]
    found = _converted(dicom / name)
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(dicom / name)))
    assert (found.volume.shape, found.writable) == (shape, writable)
    assert found.volume.geometry.spacing == pytest.approx(spacing, abs=1e-6)
    np.testing.assert_array_equal(found.values_on_source(found.volume), sitk.GetArrayFromImage(image))
    columns, rows, slices = found.source_grid.shape
    for corner in np.ndindex(2, 2, 2):
        voxel = np.array(corner) * (columns - 1, rows - 1, slices - 1)
        ours = found.source_grid.to_world(voxel) * (-1, -1, 1)
        np.testing.assert_allclose(ours, image.TransformIndexToPhysicalPoint(voxel.tolist()), atol=1e-3)


@pytest.mark.parametrize("name", [name for name, row in SERIES.items() if not row[2]])
def test_the_crops_are_called_synthetic(dicom: Path, name: str) -> None:
    assert [notice.code for notice in _converted(dicom / name).notices] == [SYNTHETIC_GEOMETRY]


def test_a_slice_that_did_not_arrive_is_missed(dicom: Path) -> None:
    datasets = [dcmread(path) for path in sorted((dicom / "study3_t1").glob("*.dcm"))]
    without = [dataset for dataset in datasets if dataset.InstanceNumber != 9]
    with pytest.raises(MissingSliceError, match="gap of 13 mm between instance 8 and instance 10"):
        convert_series(without)


def test_nothing_of_the_patient_is_in_the_file_that_leaves(dicom: Path) -> None:
    found = _converted(dicom / "study1_hippocampus_crop")
    content = volume_to_bytes(found.volume, compressed=False)
    source = found.datasets[0]
    for keyword in (
        "PatientName",
        "PatientID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "AccessionNumber",
        "StudyDate",
    ):
        assert str(source[keyword].value).encode() not in content
