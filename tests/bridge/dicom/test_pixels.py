"""Grey values of every way of storing them: classic and multi-frame, rescaled, compressed, damaged."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence as DicomSequence

from bridge.dicom.convert import convert_series
from bridge.dicom.series_volume import SourceFrame
from bridge.errors import AttributeMissingError, PixelDataError
from tests.bridge import phantom
from tests.bridge.compressed import COMPRESSED, compressed_series

STACK = phantom.stack("coronal", (8, -12, 5))


def _series() -> list[FileDataset]:
    return phantom.classic_series(STACK)


def _as_written() -> np.ndarray:  # type: ignore[type-arg]
    return phantom.intensities(STACK).astype(np.float32)


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("enhanced", [False, True], ids=["classic", "enhanced"])
def test_compressed_pixels_are_those_that_were_compressed(syntax: str, enhanced: bool, tmp_path: Path) -> None:
    series = [phantom.enhanced_series(STACK)] if enhanced else _series()
    found = convert_series(compressed_series(series, syntax, tmp_path))
    np.testing.assert_array_equal(found.values_on_source(found.volume), _as_written())


@pytest.mark.parametrize("order", [range(14), range(13, -1, -1), [3, 0, 7, 1, 13, 2, 9, 4, 12, 5, 6, 11, 10, 8]])
def test_an_enhanced_instance_gives_the_same_volume_whatever_the_order_of_its_frames(order: list[int]) -> None:
    found = convert_series([phantom.enhanced_series(STACK, order=order)])
    classic = convert_series(_series())
    np.testing.assert_array_equal(found.volume.data, classic.volume.data)
    assert found.volume.geometry.matches(classic.volume.geometry, tolerance_mm=1e-9)
    assert len(found.datasets) == 1
    assert found.frames == tuple(SourceFrame(0, list(order).index(k) + 1) for k in range(14))


def test_frames_spread_over_several_enhanced_instances_are_one_stack() -> None:
    halves = [phantom.enhanced_series(STACK, order=half) for half in (range(7, 14), range(7))]
    for number, half in enumerate(halves, start=1):
        half.InstanceNumber = number
    found = convert_series(halves)
    np.testing.assert_array_equal(found.values_on_source(found.volume), _as_written())
    assert found.datasets == (halves[1], halves[0])
    assert [frame.dataset for frame in found.frames] == [0] * 7 + [1] * 7


def test_the_rescaling_of_each_instance_is_applied() -> None:
    series = _series()
    for k, dataset in enumerate(series):
        dataset.RescaleSlope, dataset.RescaleIntercept = str(1 + k / 4), str(-100 - k)
    scale = np.arange(14, dtype=np.float32)[:, None, None]
    found = convert_series(series)
    np.testing.assert_array_equal(found.values_on_source(found.volume), _as_written() * (1 + scale / 4) - 100 - scale)


def test_the_rescaling_of_an_enhanced_instance_is_applied() -> None:
    found = convert_series([phantom.enhanced_series(STACK, rescale=(0.5, 7.0))])
    np.testing.assert_array_equal(found.values_on_source(found.volume), _as_written() / 2 + 7)


def test_a_modality_table_is_applied() -> None:
    series = _series()
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table["LUTDescriptor"].VR = "US"
    table.LUTData = [(3 * value) % 5000 for value in range(4096)]
    table["LUTData"].VR = "US"
    for dataset in series:
        dataset.ModalityLUTSequence = DicomSequence([table])
    found = convert_series(series)
    np.testing.assert_array_equal(found.values_on_source(found.volume), (3 * _as_written()) % 5000)


def test_half_a_rescaling_is_refused() -> None:
    series = _series()
    series[4].RescaleSlope = "2"
    with pytest.raises(AttributeMissingError, match=r"RescaleIntercept \(0028,1052\) is missing from instance 5"):
        convert_series(series)


def test_pixels_that_are_no_grey_values_are_refused() -> None:
    colour, inverted, none, short, unknown = (_series() for _ in range(5))
    colour[2].SamplesPerPixel, colour[2].PhotometricInterpretation = 3, "RGB"
    with pytest.raises(PixelDataError, match="instance 3 are RGB of 3 samples"):
        convert_series(colour)
    inverted[2].PhotometricInterpretation = "MONOCHROME1"
    with pytest.raises(PixelDataError, match="instance 3 are MONOCHROME1"):
        convert_series(inverted)
    del none[2].PixelData
    with pytest.raises(PixelDataError, match=r"PixelData \(7FE0,0010\) is missing from instance 3"):
        convert_series(none)
    short[2].PixelData = short[2].PixelData[:100]
    with pytest.raises(PixelDataError, match=r"instance 3 cannot be decoded \(Explicit VR Little Endian\)"):
        convert_series(short)
    del unknown[2].file_meta
    with pytest.raises(PixelDataError, match=r"TransferSyntaxUID \(0002,0010\) is missing from instance 3"):
        convert_series(unknown)


def test_compressed_pixels_that_were_damaged_are_refused(tmp_path: Path) -> None:
    series = compressed_series(_series(), "JPEG 2000 Lossless", tmp_path)
    content = bytearray(series[6].PixelData)
    content[16:] = bytes(len(content) - 16)
    series[6].PixelData = bytes(content)
    with pytest.raises(PixelDataError, match=r"instance 7 cannot be decoded \(JPEG 2000"):
        convert_series(series)
