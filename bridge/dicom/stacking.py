"""From loose frames to one even stack: the checks, in an order in which no defect passes for another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.dicom.frames import Frame
from bridge.dicom.tolerances import Tolerances
from bridge.errors import (
    DuplicatePositionError,
    IrregularGeometryError,
    MissingSliceError,
    MixedSeriesError,
    ShearedStackError,
    TooFewSlicesError,
)

FloatArray = npt.NDArray[np.float64]
_NAMED_AT_MOST = 8
# A distance between neighbours this many times the usual one is a gap; below it is jitter.
_GAP = 1.5


@dataclass(frozen=True, eq=False)
class EvenStack:
    """Frames in the order of their slices, and the grid they lie on.

    Args:
        frames: ascending along the normal.
        affine: (slice, row, column) → LPS mm, 4×4, its axes at right angles.
        orientation_deviation: largest difference of a direction cosine between frames, or off right angles and unit
            length.
    """

    frames: tuple[Frame, ...]
    affine: FloatArray
    orientation_deviation: float


def even_stack(frames: Sequence[Frame], tolerances: Tolerances, time_point: int | None) -> EvenStack:
    """Sort frames along their normal.

    Raises:
        SeriesDefectError: its subclass for the first defect found.
    """
    if len(frames) < 2:
        raise TooFewSlicesError(f"a volume needs at least 2 slices, the series has {len(frames)}")
    _require_one_matrix(frames)
    between = _require_one_orientation(frames, tolerances)
    _require_one_spacing(frames, tolerances)
    directions, off = _directions(frames[0], tolerances)
    row, column, normal = directions
    chosen = _one_at_each_position(frames, normal, tolerances, time_point)
    positions = np.array([frame.position for frame in chosen])
    offsets = positions - positions[0]
    spacing = _require_no_gap(chosen, offsets @ normal)
    _require_stacked_along_normal(chosen, offsets, normal, tolerances)
    _require_even(chosen, offsets, spacing * normal, tolerances)
    affine = np.eye(4)
    affine[:3, 0] = normal * spacing
    affine[:3, 1] = column * chosen[0].pixel_spacing[0]
    affine[:3, 2] = row * chosen[0].pixel_spacing[1]
    affine[:3, 3] = positions[0]
    return EvenStack(tuple(chosen), affine, max(between, off))


def listed(names: Iterable[str]) -> str:
    """Names in a row, the first few of many."""
    found = list(names)
    if len(found) > _NAMED_AT_MOST:
        return f"{', '.join(found[:_NAMED_AT_MOST])} and {len(found) - _NAMED_AT_MOST} more"
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def _require_one_matrix(frames: Sequence[Frame]) -> None:
    sizes = [frame.matrix for frame in frames]
    usual = max(dict.fromkeys(sizes), key=sizes.count)
    others = [frame for frame in frames if frame.matrix != usual]
    if others:
        rows, columns = others[0].matrix
        raise MixedSeriesError(
            f"matrix sizes are mixed: {listed(frame.name for frame in others)} of {len(frames)} have"
            f" {rows}×{columns}, the others {usual[0]}×{usual[1]}"
        )


def _require_one_orientation(frames: Sequence[Frame], tolerances: Tolerances) -> float:
    """The largest difference of a direction cosine between frames."""
    cosines = np.array([frame.orientation.ravel() for frame in frames])
    # The usual orientation is that of most frames: a scout must not make the whole series look odd.
    rounded = [tuple(np.round(row / (10 * tolerances.orientation)).astype(int)) for row in cosines]
    usual = cosines[rounded.index(max(dict.fromkeys(rounded), key=rounded.count))]
    differences = np.abs(cosines - usual).max(axis=1)
    others = [
        frame for frame, difference in zip(frames, differences, strict=True) if difference > tolerances.orientation
    ]
    if others:
        raise MixedSeriesError(
            f"orientations are mixed: {listed(f.name for f in others)} of {len(frames)} differ from the others by"
            f" up to {differences.max():.2g} in a direction cosine, {tolerances.orientation:g} is allowed"
        )
    return float(differences.max())


def _require_one_spacing(frames: Sequence[Frame], tolerances: Tolerances) -> None:
    spacings = np.array([frame.pixel_spacing for frame in frames])
    usual = np.median(spacings, axis=0)
    odd = (np.abs(spacings - usual) > tolerances.pixel_spacing * usual).any(axis=1)
    if odd.any():
        others = [frame for frame, is_odd in zip(frames, odd, strict=True) if is_odd]
        raise MixedSeriesError(
            f"pixel spacings are mixed: {listed(frame.name for frame in others)} of {len(frames)} have"
            f" {others[0].pixel_spacing[0]:g}×{others[0].pixel_spacing[1]:g} mm,"
            f" the others {usual[0]:g}×{usual[1]:g} mm"
        )


def _directions(frame: Frame, tolerances: Tolerances) -> tuple[tuple[FloatArray, FloatArray, FloatArray], float]:
    """Row, column and normal at right angles, and how far the stored cosines are off them."""
    lengths = np.linalg.norm(frame.orientation, axis=1)
    along_row, down_column = frame.orientation
    off_angle, off_length = abs(float(along_row @ down_column)), float(np.abs(lengths - 1).max())
    if off_length > tolerances.orientation:
        raise IrregularGeometryError(
            f"direction cosines of {frame.name} are off unit length by {off_length:.2g};"
            f" the tolerance orientation is {tolerances.orientation:g}"
        )
    if off_angle > tolerances.orientation:
        raise IrregularGeometryError(
            f"row and column of {frame.name} are off a right angle by {off_angle:.2g} (their cosine);"
            f" the tolerance orientation is {tolerances.orientation:g}"
        )
    row = along_row / lengths[0]
    column = down_column - (down_column @ row) * row
    column /= np.linalg.norm(column)
    return (row, column, np.cross(row, column)), max(off_angle, off_length)


def _one_at_each_position(
    frames: Sequence[Frame], normal: FloatArray, tolerances: Tolerances, time_point: int | None
) -> list[Frame]:
    """Ascending along the normal; where each position holds several, the time point that was chosen."""
    ascending = sorted(frames, key=lambda frame: (float(frame.position @ normal), frame.acquired))
    groups: list[list[Frame]] = [[ascending[0]]]
    for frame in ascending[1:]:
        if (frame.position - groups[-1][0].position) @ normal <= tolerances.position_mm:
            groups[-1].append(frame)
        else:
            groups.append([frame])
    repeated = [group for group in groups if len(group) > 1]
    most = max(len(group) for group in groups)
    if repeated and any(len(group) != most for group in groups):
        raise DuplicatePositionError(
            f"{len(repeated)} of {len(groups)} positions hold several frames, the first of them"
            f" {listed(frame.name for frame in _by_time(repeated[0]))}"
        )
    if repeated and time_point is None:
        raise DuplicatePositionError(
            f"{most} frames at each of {len(groups)} positions, such as {listed(f.name for f in _by_time(groups[0]))}:"
            f" several time points, acquisitions or echoes; choose one, 1 to {most}, as time_point"
        )
    if (time_point or 1) > most:
        raise DuplicatePositionError(f"time_point {time_point} is chosen, each position holds {most}")
    if len(groups) < 2:
        raise TooFewSlicesError(f"a volume needs at least 2 slices, all {len(frames)} frames lie at one position")
    return [_by_time(group)[(time_point or 1) - 1] for group in groups]


def _by_time(group: Sequence[Frame]) -> list[Frame]:
    return sorted(group, key=lambda frame: frame.acquired)


def _require_no_gap(frames: Sequence[Frame], distances: FloatArray) -> float:
    """The spacing of the slices, mm."""
    steps = np.diff(distances)
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])
    gaps = np.flatnonzero(steps > _GAP * usual)
    if len(gaps):
        first = int(gaps[0])
        more = f"; {len(gaps)} such gaps in all" if len(gaps) > 1 else ""
        raise MissingSliceError(
            f"gap of {steps[first]:.4g} mm between {frames[first].name} and {frames[first + 1].name},"
            f" where the others are {usual:.4g} mm apart{more}"
        )
    return float(distances[-1] / len(steps))


def _require_stacked_along_normal(
    frames: Sequence[Frame], offsets: FloatArray, normal: FloatArray, tolerances: Tolerances
) -> None:
    along = offsets @ normal
    across = offsets - along[:, None] * normal
    slope = (along @ across) / (along @ along)
    drift, residual = float(np.linalg.norm(slope)), np.linalg.norm(across - along[:, None] * slope, axis=1).max()
    # A drift that the jitter explains is none; the check of the even stack names it.
    even = residual <= max(tolerances.position_mm, 0.05 * float(np.linalg.norm(across, axis=1).max()))
    if drift > tolerances.orientation and drift * along[-1] > tolerances.position_mm and even:
        raise ShearedStackError(
            f"the slices from {frames[0].name} to {frames[-1].name} run off their normal by"
            f" {np.degrees(np.arctan(drift)):.2f} degrees (a tilted gantry?): resample the series to right angles first"
        )


def _require_even(frames: Sequence[Frame], offsets: FloatArray, step: FloatArray, tolerances: Tolerances) -> None:
    expected = np.arange(len(frames))[:, None] * step
    departures = np.linalg.norm(offsets - expected, axis=1)
    # What the orientation's tolerance lets the slices run off their normal is no jitter.
    allowed = np.maximum(tolerances.position_mm, tolerances.orientation * np.linalg.norm(expected, axis=1))
    worst = int((departures - allowed).argmax())
    if departures[worst] > allowed[worst]:
        raise IrregularGeometryError(
            f"{frames[worst].name} lies {departures[worst]:.3g} mm off an even stack of {np.linalg.norm(step):.4g} mm;"
            f" the tolerance position_mm is {tolerances.position_mm:g}"
        )
