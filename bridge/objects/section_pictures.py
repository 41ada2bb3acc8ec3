"""Pictures of the series itself for the report: labels outlined, and where it differs in volume.

Three planes of the series' own grid through the middle of what was found, each seen as in radiology: the patient's
right is at the left of an axial and a coronal picture, the front at the left of a sagittal one.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import reportlab
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation, zoom

from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.resample import resample_linear, resample_nearest

Colour = tuple[int, int, int]
Box = tuple[slice, slice, slice]

SIZE: Final = 420
"""Pixels along each side of a picture."""

# Around what was found, so that a reader sees where it lies.
_MARGIN_MM: Final = 14.0
# Shown range of the determinant, symmetric in its logarithm.
_SPAN: Final = 2.0
_LARGER: Final = np.array((178, 24, 43), dtype=np.float64)
_SMALLER: Final = np.array((33, 102, 172), dtype=np.float64)
_LETTER_COLOUR: Final = (155, 231, 255)
_FONT: Final = Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf"


@dataclass(frozen=True)
class _Plane:
    """A plane of an RAS grid: the axis across it, and the axes along the picture's columns and rows.

    Args:
        letters: at the picture's left, right, top and bottom.
    """

    name: str
    across: int
    columns: int
    rows: int
    letters: str


# Rows run down and columns to the right: every axis of an RAS grid is turned, but for sagittal columns, which run from
# front to back and are turned as well.
_PLANES: Final = (
    _Plane("sagittal", 0, 1, 2, "APSI"),
    _Plane("coronal", 1, 0, 2, "RLSI"),
    _Plane("axial", 2, 0, 1, "RLAP"),
)
PLANE_NAMES: Final = tuple(plane.name for plane in _PLANES)


def label_pictures(volume: Volume, segmentation: Segmentation | None, colours: Mapping[int, Colour]) -> list[bytes]:
    """The series with its labels outlined, a PNG for each of ``PLANE_NAMES``.

    Args:
        volume: on an RAS grid.
        colours: of each label.
    """
    labels = _on_grid(segmentation, volume.geometry)
    box = _box(volume.geometry, labels)
    pictures = []
    for plane in _PLANES:
        at = _middle(plane, labels, box)
        picture = _grey(plane, volume, box, at)
        _outline(picture, plane, labels, volume.geometry, box, at, colours)
        pictures.append(_png(plane, picture))
    return pictures


def jacobian_pictures(
    volume: Volume, segmentation: Segmentation | None, jacobian: Volume, colours: Mapping[int, Colour]
) -> list[bytes]:
    """As ``label_pictures``, coloured where the series is larger (red) or smaller (blue) than its counterpart.

    Args:
        jacobian: above 1 the counterpart is the larger.
    """
    labels = _on_grid(segmentation, volume.geometry)
    values, inside = resample_linear(jacobian.data, jacobian.geometry, volume.geometry)
    values = np.where(inside, values, 1.0).astype(np.float32)
    box = _box(volume.geometry, labels)
    pictures = []
    for plane in _PLANES:
        at = _middle(plane, labels, box)
        picture = _grey(plane, volume, box, at).astype(np.float64)
        shown = np.clip(_resized(plane, values, volume.geometry, box, at), 1 / _SPAN, _SPAN)
        strength = np.log(shown) / np.log(_SPAN)
        weight = 0.85 * np.abs(strength)[..., None]
        colour = np.where((strength < 0)[..., None], _LARGER, _SMALLER)
        mixed = ((1 - weight) * picture + weight * colour).astype(np.uint8)
        _outline(mixed, plane, labels, volume.geometry, box, at, colours)
        pictures.append(_png(plane, mixed))
    return pictures


def _on_grid(segmentation: Segmentation | None, geometry: Geometry) -> npt.NDArray[np.uint16]:
    if segmentation is None:
        return np.zeros(geometry.shape, dtype=np.uint16)
    if segmentation.geometry.matches(geometry):
        return segmentation.data
    labels, _ = resample_nearest(segmentation.data, segmentation.geometry, geometry)
    return labels.astype(np.uint16)


def _box(geometry: Geometry, labels: npt.NDArray[np.uint16]) -> Box:
    """What is shown: the labels and their surroundings, or everything."""
    found = np.argwhere(labels)
    if not len(found):
        return (slice(0, geometry.shape[0]), slice(0, geometry.shape[1]), slice(0, geometry.shape[2]))
    margin = np.ceil(_MARGIN_MM / np.array(geometry.spacing)).astype(int)
    low = np.maximum(found.min(axis=0) - margin, 0)
    high = np.minimum(found.max(axis=0) + 1 + margin, geometry.shape)
    return (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])), slice(int(low[2]), int(high[2])))


def _middle(plane: _Plane, labels: npt.NDArray[np.uint16], box: Box) -> int:
    """The slice with most of the labels, or the box's middle."""
    counts = (labels != 0).sum(axis=tuple({0, 1, 2} - {plane.across}))
    if counts.any():
        return int(counts.argmax())
    return int(box[plane.across].start + box[plane.across].stop) // 2


def _grey(plane: _Plane, volume: Volume, box: Box, at: int) -> npt.NDArray[np.uint8]:
    low, high = np.percentile(volume.data[box], (1, 99.5))
    shown = _resized(plane, volume.data, volume.geometry, box, at)
    grey = np.clip((shown - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=-1)


def _outline(
    picture: npt.NDArray[np.uint8],
    plane: _Plane,
    labels: npt.NDArray[np.uint16],
    geometry: Geometry,
    box: Box,
    at: int,
    colours: Mapping[int, Colour],
) -> None:
    """Draw around every label, in place."""
    for label, colour in colours.items():
        mask = _resized(plane, (labels == label).astype(np.float32), geometry, box, at) > 0.5
        picture[binary_dilation(mask, iterations=2) & ~mask] = colour


def _resized(
    plane: _Plane, values: npt.NDArray[np.float32], geometry: Geometry, box: Box, at: int
) -> npt.NDArray[np.float32]:
    """A plane in true proportions, as large as fits a picture, (rows, columns) down and to the right."""
    index: list[slice | int] = list(box)
    index[plane.across] = at
    # What is left has its axes ascending, and columns come before rows in every plane.
    shown = values[tuple(index)].T[::-1, ::-1]
    heights, widths = shown.shape[0] * geometry.spacing[plane.rows], shown.shape[1] * geometry.spacing[plane.columns]
    pixels_per_mm = SIZE / max(heights, widths)
    factors = (heights * pixels_per_mm / shown.shape[0], widths * pixels_per_mm / shown.shape[1])
    resized: npt.NDArray[np.float32] = zoom(shown, factors, order=1, grid_mode=True, mode="nearest")
    return resized


def _png(plane: _Plane, picture: npt.NDArray[np.uint8]) -> bytes:
    """The picture in the middle of a black square, with the directions at its edges."""
    square = Image.new("RGB", (SIZE, SIZE))
    rows, columns = picture.shape[:2]
    square.paste(Image.fromarray(picture), ((SIZE - columns) // 2, (SIZE - rows) // 2))
    draw = ImageDraw.Draw(square)
    font = ImageFont.truetype(str(_FONT), 18)
    places = ((14, SIZE // 2), (SIZE - 14, SIZE // 2), (SIZE // 2, 14), (SIZE // 2, SIZE - 14))
    for place, letter in zip(places, plane.letters, strict=True):
        draw.text(place, letter, fill=_LETTER_COLOUR, font=font, anchor="mm", stroke_width=2, stroke_fill=(0, 0, 0))
    buffer = io.BytesIO()
    square.save(buffer, format="PNG")
    return buffer.getvalue()
