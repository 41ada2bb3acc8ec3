"""Every defect, made by changing a good series, gives its own error with the values that are wrong."""

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from bridge import errors
from bridge.dicom.convert import FRAME_OF_REFERENCE_MISSING, ORIENTATION_ROUNDED, convert_series
from bridge.dicom.series_volume import SYNTHETIC_GEOMETRY, SeriesVolume
from bridge.dicom.tolerances import Overrides, Tolerances
from eigenwarp.errors import OptionInvalidError, VolumeTooLargeError
from tests.bridge import phantom

Series = list[FileDataset]
STACK = phantom.stack("axial", (8, -12, 5))
NORMAL = np.cross(STACK.row, STACK.column)


@pytest.fixture
def series() -> Series:
    return phantom.classic_series(STACK)


def _moved(dataset: FileDataset, offset: np.ndarray) -> None:  # type: ignore[type-arg]
    dataset.ImagePositionPatient = [f"{x:.9f}" for x in np.array(dataset.ImagePositionPatient, dtype=float) + offset]


def _without(keyword: str, *numbers: int) -> Callable[[Series], Series]:
    def change(series: Series) -> Series:
        for number in numbers:
            del series[number - 1][keyword]
        return series

    return change


def _set(keyword: str, value: object, *numbers: int) -> Callable[[Series], Series]:
    def change(series: Series) -> Series:
        for number in numbers:
            setattr(series[number - 1], keyword, value)
        return series

    return change


def _tilted(series: Series) -> Series:
    for k, dataset in enumerate(series):
        _moved(dataset, STACK.column * k * STACK.slice_spacing * np.tan(np.radians(12)))
    return series


def _shifted(number: int, offset: np.ndarray) -> Callable[[Series], Series]:  # type: ignore[type-arg]
    def change(series: Series) -> Series:
        _moved(series[number - 1], offset)
        return series

    return change


def _with_a_scout(series: Series) -> Series:
    scout = phantom.classic_series(phantom.stack("sagittal"))[0]
    scout.InstanceNumber = 15
    return [scout, *series]


def _with_the_second_twice(series: Series) -> Series:
    again = phantom.classic_series(STACK)[1]
    again.SOPInstanceUID = generate_uid()
    return [*series, again]


def _two_time_points(series: Series) -> Series:
    later = phantom.classic_series(STACK, phantom.intensities(STACK) // 2)
    for dataset in later:
        dataset.SOPInstanceUID = generate_uid()
        dataset.TemporalPositionIdentifier = 2
        dataset.InstanceNumber += 14
    return [*later, *series]


def _cosines(*numbers: int, tilt: float = 0.0, length: float = 1.0) -> Callable[[Series], Series]:
    """Row directions leant towards the column, or made longer."""
    row = (STACK.row + tilt * STACK.column) * length
    return _set("ImageOrientationPatient", [f"{x:.12f}" for x in [*row, *STACK.column]], *numbers)


ALL = range(1, 15)
DEFECTS: list[tuple[str, Callable[[Series], Series], type[errors.SeriesDefectError], str]] = [
    ("missing slice", lambda s: s[:5] + s[6:], errors.MissingSliceError,
     "gap of 5 mm between instance 5 and instance 7, where the others are 2.5 mm apart"),
    ("two gaps", lambda s: s[:3] + s[5:8] + s[9:], errors.MissingSliceError, "gap of 7.5 mm .* 2 such gaps"),
    ("one slice twice", _with_the_second_twice, errors.DuplicatePositionError,
     r"1 of 14 positions hold several.*instance 2 \(received as number 2\) and instance 2 \(received as number 15"),
    ("two time points", _two_time_points, errors.DuplicatePositionError,
     "2 frames at each of 14 positions, such as instance 1 and instance 15: .* choose one, 1 to 2"),
    ("scout", _with_a_scout, errors.MixedSeriesError, "orientations are mixed: instance 15 of 15"),
    ("matrix", lambda s: _set("Rows", 12, 4, 9)(s), errors.MixedSeriesError,
     "matrix sizes are mixed: instance 4 and instance 9 of 14 have 12×18, the others 24×18"),
    ("spacing", _set("PixelSpacing", ["1.3", "1.75"], 4), errors.MixedSeriesError,
     "pixel spacings are mixed: instance 4 of 14 have 1.3×1.75 mm, the others 1.25×1.75 mm"),
    ("two frames of reference", _set("FrameOfReferenceUID", "1.2.3", 4), errors.MixedSeriesError,
     "frames of reference are mixed: instance 4 of 14"),
    ("two series", _set("SeriesInstanceUID", "1.2.3", 4), errors.MixedSeriesError, "2 series: instance 4"),
    ("gantry tilt", _tilted, errors.ShearedStackError, "12.00 degrees .* resample"),
    ("no spacing", _without("PixelSpacing", 3), errors.AttributeMissingError,
     r"PixelSpacing \(0028,0030\) is missing from instance 3"),
    ("no position", _without("ImagePositionPatient", 3), errors.AttributeMissingError,
     r"ImagePositionPatient \(0020,0032\) is missing from instance 3"),
    ("no orientation", _without("ImageOrientationPatient", 3), errors.AttributeMissingError,
     r"ImageOrientationPatient \(0020,0037\) is missing from instance 3"),
    ("two of three coordinates", _set("ImagePositionPatient", ["1", "2"], 3), errors.AttributeMissingError,
     "instance 3 has 2 values, expected 3"),
    ("no spacing at all", _set("PixelSpacing", ["0", "1"], 3), errors.AttributeMissingError,
     "must be positive, got 0 and 1"),
    ("no frame of reference", _without("FrameOfReferenceUID", *ALL), errors.NoFrameOfReferenceError,
     "results cannot be written back"),
    ("frame of reference empty", _set("FrameOfReferenceUID", "", 2), errors.NoFrameOfReferenceError,
     "missing from instance 2 of 14"),
    ("angle", _cosines(*ALL, tilt=0.002), errors.IrregularGeometryError,
     "off a right angle by 0.002 .* orientation is 0.0001"),
    ("length", _cosines(*ALL, length=1.003), errors.IrregularGeometryError, "off unit length by 0.003"),
    ("jitter along", _shifted(6, 0.08 * NORMAL), errors.IrregularGeometryError,
     "instance 6 lies 0.08 mm off an even stack of 2.5 mm; the tolerance position_mm is 0.01"),
    ("jitter across", _shifted(6, 0.08 * STACK.row), errors.IrregularGeometryError, "instance 6 lies 0.08 mm off"),
    ("single slice", lambda s: s[:1], errors.TooFewSlicesError, "at least 2 slices, the series has 1"),
    ("nothing", lambda s: [], errors.TooFewSlicesError, "no instance"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "text"), [pytest.param(*row[1:], id=row[0]) for row in DEFECTS])
def test_a_defect_has_its_own_error(
    series: Series, change: Callable[[Series], Series], error: type[errors.SeriesDefectError], text: str
) -> None:
    convert_series(series)
    with pytest.raises(error, match=text) as raised:
        convert_series(change(series))
    assert type(raised.value) is error
    for secret in (phantom.PATIENT_NAME, phantom.PATIENT_ID, series[0].SeriesInstanceUID if series else "-"):
        assert secret not in raised.value.detail


def test_each_defect_has_a_code_of_its_own() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.SeriesDefectError)]
    assert len({c.code for c in classes}) == len(classes)


@pytest.mark.parametrize(
    ("change", "tolerances"),
    [
        (_cosines(*ALL, tilt=0.002), Tolerances(orientation=0.003)),
        (_cosines(*ALL, length=1.003), Tolerances(orientation=0.004)),
        (_shifted(6, 0.08 * NORMAL), Tolerances(position_mm=0.1)),
        (_set("PixelSpacing", ["1.251", "1.75"], 4), Tolerances(pixel_spacing=1e-3)),
    ],
)
def test_a_wider_tolerance_lets_it_in(
    series: Series, change: Callable[[Series], Series], tolerances: Tolerances
) -> None:
    found = convert_series(change(series), tolerances)
    np.testing.assert_array_equal(found.values_on_source(found.volume), phantom.intensities(STACK))


def test_orientations_rounded_differently_are_let_in_with_a_notice(series: Series) -> None:
    found = convert_series(_cosines(4, tilt=4e-5)(series))
    assert [notice.code for notice in found.notices] == [ORIENTATION_ROUNDED]
    assert "up to 3.9e-05" in found.notices[0].detail
    assert found.writable


def test_a_time_point_can_be_chosen(series: Series) -> None:
    both = _two_time_points(series)
    for point, factor in ((1, 1), (2, 2)):
        found = convert_series(both, overrides=Overrides(time_point=point))
        np.testing.assert_array_equal(found.values_on_source(found.volume), phantom.intensities(STACK) // factor)
        assert len(found.datasets) == 14
    with pytest.raises(errors.DuplicatePositionError, match="time_point 3 is chosen, each position holds 2"):
        convert_series(both, overrides=Overrides(time_point=3))


def test_a_series_without_a_frame_of_reference_can_be_read_but_not_written_back(series: Series) -> None:
    changed = _without("FrameOfReferenceUID", *ALL)(series)
    found = convert_series(changed, overrides=Overrides(without_frame_of_reference=True))
    assert [notice.code for notice in found.notices] == [FRAME_OF_REFERENCE_MISSING]
    assert found.frame_of_reference_uid is None
    with pytest.raises(errors.WriteBackBlockedError, match="no frame of reference"):
        found.require_writable()


def _synthetic(first: int) -> SeriesVolume:
    stack = phantom.stack("axial", slice_spacing=1.0)
    series = phantom.classic_series(stack)
    for k, dataset in enumerate(series):
        dataset.ImagePositionPatient = ["0", "0", str(k + first)]
    return convert_series(series)


@pytest.mark.parametrize("first", [0, 1])
def test_positions_that_only_count_are_called_synthetic_and_block_writing_back(first: int) -> None:
    found = _synthetic(first)
    assert [notice.code for notice in found.notices] == [SYNTHETIC_GEOMETRY]
    with pytest.raises(errors.WriteBackBlockedError, match="synthetic geometry"):
        found.require_writable()


def test_positions_elsewhere_than_their_count_are_not_synthetic() -> None:
    assert _synthetic(2).notices == ()


def test_a_site_may_trust_a_synthetic_geometry() -> None:
    series = list(_synthetic(1).datasets)
    found = convert_series(series, overrides=Overrides(trust_synthetic_geometry=True))
    assert [notice.code for notice in found.notices] == [SYNTHETIC_GEOMETRY]
    found.require_writable()


def test_an_enhanced_instance_s_defects_are_found_in_its_frames() -> None:
    orders: list[tuple[list[int], type[errors.SeriesDefectError], str]] = [
        (
            [0, 1, 2, 4, 5],
            errors.MissingSliceError,
            "gap of 5 mm between frame 3 of instance 1 and frame 4 of instance 1",
        ),
        ([0, 1, 2, 2, 3], errors.DuplicatePositionError, "frame 3 of instance 1 and frame 4 of instance 1"),
    ]
    for order, error, text in orders:
        with pytest.raises(error, match=text):
            convert_series([phantom.enhanced_series(STACK, order=order)])
    no_position = phantom.enhanced_series(STACK)
    del no_position.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence
    with pytest.raises(errors.AttributeMissingError, match=r"ImagePositionPatient .* frame 5 of instance 1"):
        convert_series([no_position])
    miscounted = phantom.enhanced_series(STACK)
    miscounted.NumberOfFrames = 13
    with pytest.raises(errors.AttributeMissingError, match="14 items for 13 frames"):
        convert_series([miscounted])
    del miscounted.PerFrameFunctionalGroupsSequence
    with pytest.raises(errors.AttributeMissingError, match="missing from instance 1, which has 13 frames"):
        convert_series([miscounted])


def test_a_series_larger_than_the_limit_is_refused_before_its_pixels_are_read(series: Series) -> None:
    for dataset in series:
        dataset.Rows = dataset.Columns = 4096
    with pytest.raises(VolumeTooLargeError, match="14 slices of 4096×4096 are 234881024 voxels"):
        convert_series(series)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), 2.0])
def test_a_tolerance_without_meaning_is_refused(value: float) -> None:
    for name in ("orientation", "position_mm", "pixel_spacing"):
        with pytest.raises(OptionInvalidError, match=name):
            Tolerances(**{name: value})


def test_time_points_count_from_one() -> None:
    with pytest.raises(OptionInvalidError, match="got 0"):
        Overrides(time_point=0)
