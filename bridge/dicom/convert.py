"""From the instances of a series to a volume, strictly: whatever is not one even stack of slices is refused by name."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from highdicom import CoordinateSystemNames, VolumeGeometry
from nibabel.orientations import apply_orientation
from pydicom import Dataset

from bridge.dicom.frames import Frame, frames_of, instance_names
from bridge.dicom.pixels import grey_values
from bridge.dicom.series_volume import LPS_TO_RAS, SYNTHETIC_GEOMETRY, SeriesVolume
from bridge.dicom.stacking import EvenStack, even_stack, listed
from bridge.dicom.tolerances import DEFAULT_TOLERANCES, NO_OVERRIDES, Overrides, Tolerances
from bridge.errors import MixedSeriesError, NoFrameOfReferenceError, TooFewSlicesError
from eigenwarp.errors import VolumeTooLargeError
from eigenwarp.schemas.document import Notice
from eigenwarp.volume import Geometry, Volume
from eigenwarp.volume.nifti import DEFAULT_LIMITS

ORIENTATION_ROUNDED = "orientation-rounded"
FRAME_OF_REFERENCE_MISSING = "frame-of-reference-missing"

# Direction cosines of six decimals are this far off unit length at most.
_UNREMARKABLE = 1e-6


def convert_series(
    datasets: Sequence[Dataset], tolerances: Tolerances = DEFAULT_TOLERANCES, overrides: Overrides = NO_OVERRIDES
) -> SeriesVolume:
    """The volume of a series, classic or enhanced multi-frame, its instances in any order.

    Nothing is interpolated: the volume holds the source's values, rescaled to the modality's, on the source's own grid
    with its axes put into canonical order.

    Args:
        datasets: every instance of one series, with pixels and file meta information.
        tolerances: how far geometry may be off an even stack at right angles.
        overrides: what a site lets in on its own responsibility.

    Raises:
        SeriesDefectError: its subclass names the defect and the instances.
        VolumeTooLargeError: more voxels than the limit.
        VoxelsNotFiniteError: NaN or infinite values.
        GeometryInvalidError: spacings or positions that no medical image has.
    """
    if not datasets:
        raise TooFewSlicesError("a volume needs at least 2 slices, no instance was given")
    _require_one_series(datasets)
    frames = frames_of(datasets)
    frame_of_reference = _frame_of_reference(datasets, overrides)
    stack = even_stack(frames, tolerances, overrides.time_point)
    _require_size(stack)
    values = grey_values(datasets, stack.frames)
    kept, sources = _in_slice_order(datasets, stack.frames)
    synthetic = _is_synthetic(stack.frames)
    return SeriesVolume(
        volume=_canonical(values, stack.affine),
        datasets=kept,
        frames=tuple(
            replace(frame.source, dataset=source) for frame, source in zip(stack.frames, sources, strict=True)
        ),
        source_geometry=VolumeGeometry(
            affine=stack.affine,
            spatial_shape=values.shape,
            coordinate_system=CoordinateSystemNames.PATIENT,
            frame_of_reference_uid=frame_of_reference,
        ),
        frame_of_reference_uid=frame_of_reference,
        notices=tuple(_notices(stack, tolerances, synthetic, frame_of_reference)),
        writable=frame_of_reference is not None and (not synthetic or overrides.trust_synthetic_geometry),
    )


def _require_one_series(datasets: Sequence[Dataset]) -> None:
    of_series: dict[str, list[str]] = {}
    for dataset, name in zip(datasets, instance_names(datasets), strict=True):
        of_series.setdefault(str(dataset.get("SeriesInstanceUID", "")), []).append(name)
    if len(of_series) > 1:
        fewest = min(of_series.values(), key=len)
        raise MixedSeriesError(
            f"instances of {len(of_series)} series: {listed(fewest)} belong to another than the rest"
        )


def _frame_of_reference(datasets: Sequence[Dataset], overrides: Overrides) -> str | None:
    names = instance_names(datasets)
    uids = [str(dataset.get("FrameOfReferenceUID") or "") for dataset in datasets]
    without = [name for name, uid in zip(names, uids, strict=True) if not uid]
    if without:
        if overrides.without_frame_of_reference:
            return None
        raise NoFrameOfReferenceError(
            "results cannot be written back: FrameOfReferenceUID (0020,0052) is missing from"
            f" {listed(without)} of {len(datasets)}"
        )
    usual = max(dict.fromkeys(uids), key=uids.count)
    others = [name for name, uid in zip(names, uids, strict=True) if uid != usual]
    if others:
        raise MixedSeriesError(f"frames of reference are mixed: {listed(others)} of {len(datasets)} have another one")
    return usual


def _require_size(stack: EvenStack) -> None:
    rows, columns = stack.frames[0].matrix
    voxels = len(stack.frames) * rows * columns
    if voxels > DEFAULT_LIMITS.voxels:
        raise VolumeTooLargeError(
            f"{len(stack.frames)} slices of {rows}×{columns} are {voxels} voxels, the limit is {DEFAULT_LIMITS.voxels}"
        )


def _in_slice_order(
    datasets: Sequence[Dataset], frames: Sequence[Frame]
) -> tuple[tuple[Dataset, ...], tuple[int, ...]]:
    """The instances in the order in which the slices first need them, and each slice's index into them."""
    order = list(dict.fromkeys(frame.source.dataset for frame in frames))
    return tuple(datasets[index] for index in order), tuple(order.index(frame.source.dataset) for frame in frames)


def _is_synthetic(frames: Sequence[Frame]) -> bool:
    """Whether positions are but (0, 0, InstanceNumber), counted from 1 or from 0, under an identity orientation."""
    if any(frame.source.number is not None or frame.instance_number is None for frame in frames):
        return False
    identity = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    positions = np.array([frame.position for frame in frames])
    numbers = np.array([frame.instance_number for frame in frames], dtype=np.float64)
    first = positions[0, 2] - numbers[0]
    return (
        all(np.array_equal(frame.orientation, identity) for frame in frames)
        and not positions[:, :2].any()
        and first in (0, -1)
        and np.array_equal(positions[:, 2] - first, numbers)
    )


def _notices(stack: EvenStack, tolerances: Tolerances, synthetic: bool, frame_of_reference: str | None) -> list[Notice]:
    found = []
    if stack.orientation_deviation > _UNREMARKABLE:
        found.append(
            Notice(
                code=ORIENTATION_ROUNDED,
                detail=f"direction cosines differ by up to {stack.orientation_deviation:.2g} between instances or from"
                f" right angles and unit length; {tolerances.orientation:g} is allowed",
            )
        )
    if synthetic:
        found.append(
            Notice(
                code=SYNTHETIC_GEOMETRY,
                detail="every position is (0, 0, InstanceNumber) under an identity orientation: synthetic geometry, the"
                " volume's place in the patient is not known",
            )
        )
    if frame_of_reference is None:
        found.append(
            Notice(
                code=FRAME_OF_REFERENCE_MISSING,
                detail="the series has no frame of reference: results cannot be written back in patient space",
            )
        )
    return found


def _canonical(values: npt.NDArray[np.float32], affine: npt.NDArray[np.float64]) -> Volume:
    """(slice, row, column) in LPS to a volume in canonical order, world RAS."""
    slices, rows, columns = values.shape
    source = Geometry((columns, rows, slices), LPS_TO_RAS @ affine[:, [2, 1, 0, 3]])
    geometry, transform = source.reoriented("RAS")
    return Volume(np.ascontiguousarray(apply_orientation(values.transpose(2, 1, 0), transform)), geometry)
