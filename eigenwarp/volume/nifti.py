"""Volumes and segmentations in and out of NIfTI files and bytes.

Reading takes NIfTI-1 and NIfTI-2 in one file (``.nii``, ``.nii.gz``; told apart by content), of either byte order; the
sform before the qform; metres and micrometres are brought to millimetres, an unknown unit is millimetres; axes that are
not at right angles are refused, because neither a qform nor ITK can hold them. No header field is believed before it
is checked, and memory stays in proportion to the voxel limit.

No name travels: free text, names and extensions of the header are not kept on reading, so none is written.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image

from eigenwarp.errors import (
    EigenwarpError,
    FileUnreadableError,
    LabelsNotIntegerError,
    OptionInvalidError,
    VolumeNotNiftiError,
    VolumeTooLargeError,
)
from eigenwarp.volume.geometry import Geometry
from eigenwarp.volume.gunzip import GZIP_MAGIC, Gunzip
from eigenwarp.volume.gzipping import gzipped
from eigenwarp.volume.nifti_header import HEADER_BYTES_MAX, NIFTI1_AXIS_LIMIT, NiftiHeader, parse_header
from eigenwarp.volume.volume import LABEL_LIMIT, Segmentation, Volume

_BLOCK = 1 << 20


@dataclass(frozen=True)
class ReadLimits:
    """How large a file may be before it is refused.

    Args:
        voxels: of the image; the default is a 512³ grid.
        file_bytes: of the file as it is stored.
        extension_bytes: between header and voxels, and after the voxels.
        ratio: unpacked to packed bytes, for gzip, once more than ``ratio_floor`` bytes are unpacked. Deflate itself
            ends near 1030, which only an image of one value comes close to.
        ratio_floor: see ``ratio``.
    """

    voxels: int = 512**3
    file_bytes: int = 2 * 1024**3
    extension_bytes: int = 16 * 1024**2
    ratio: int = 1000
    ratio_floor: int = 64 * 1024**2


DEFAULT_LIMITS = ReadLimits()

PathLike = str | Path


def read_volume(path: PathLike, limits: ReadLimits = DEFAULT_LIMITS) -> Volume:
    """Read an image; see ``volume_from_bytes``. The detail of an error starts with the path."""
    try:
        return volume_from_bytes(_read_file(Path(path), limits), limits)
    except EigenwarpError as error:
        raise type(error)(f"{path}: {error.detail}") from None


def read_segmentation(path: PathLike, limits: ReadLimits = DEFAULT_LIMITS) -> Segmentation:
    """Read labels; see ``segmentation_from_bytes``. The detail of an error starts with the path."""
    try:
        return segmentation_from_bytes(_read_file(Path(path), limits), limits)
    except EigenwarpError as error:
        raise type(error)(f"{path}: {error.detail}") from None


def volume_from_bytes(content: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Volume:
    """Read an image from a NIfTI file's bytes, gzipped or not.

    Returns:
        Intensities with the header's slope and intercept applied, (X, Y, Z) float32.

    Raises:
        VolumeNotNiftiError: no NIfTI, damaged or cut short.
        VolumeShapeError: not 3-D (trailing axes of length 1 are dropped), or colours or complex numbers.
        VolumeTooLargeError: beyond a limit.
        EmptyVolumeError: an axis without voxels.
        GeometryInvalidError: no usable affine.
        VoxelsNotFiniteError: NaN or infinite intensities, or not finite as float32.
    """
    header, stored = _voxels(content, limits)
    values = np.empty(stored.size, dtype=np.float32)
    for start in range(0, stored.size, _BLOCK):
        block = stored[start : start + _BLOCK]
        with np.errstate(over="ignore", invalid="ignore"):
            values[start : start + _BLOCK] = scaled(block, header)
    return Volume(np.ascontiguousarray(values.reshape(header.geometry.shape, order="F")), header.geometry)


def segmentation_from_bytes(content: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Segmentation:
    """Read labels from a NIfTI file's bytes, gzipped or not; any voxel type that holds whole numbers 0…65535.

    Raises:
        LabelsNotIntegerError: fractional, negative, too large or not finite values. Scaled values may be 0.001 off.
        EigenwarpError: as ``volume_from_bytes``.
    """
    header, stored = _voxels(content, limits)
    labels = np.empty(stored.size, dtype=np.uint16)
    for start in range(0, stored.size, _BLOCK):
        labels[start : start + _BLOCK] = whole(stored[start : start + _BLOCK], header)
    return Segmentation(np.ascontiguousarray(labels.reshape(header.geometry.shape, order="F")), header.geometry)


def write_volume(volume: Volume, path: PathLike) -> None:
    """Write an image as float32 ``.nii`` or ``.nii.gz``, by the path's ending."""
    path = Path(path)
    _write_file(path, volume_to_bytes(volume, compressed=_is_compressed(path)))


def write_segmentation(segmentation: Segmentation, path: PathLike) -> None:
    """Write labels as unsigned integers in ``.nii`` or ``.nii.gz``, by the path's ending."""
    path = Path(path)
    _write_file(path, segmentation_to_bytes(segmentation, compressed=_is_compressed(path)))


def volume_to_bytes(volume: Volume, compressed: bool = True) -> bytes:
    """The bytes of a NIfTI file, float32. The same volume gives the same bytes."""
    return _to_bytes(volume.data, volume.geometry, compressed)


def segmentation_to_bytes(segmentation: Segmentation, compressed: bool = True) -> bytes:
    """The bytes of a NIfTI file, uint8 where the labels fit, else uint16. The same labels give the same bytes."""
    data = segmentation.data
    return _to_bytes(data.astype(np.uint8) if data.max() <= 255 else data, segmentation.geometry, compressed)


def _voxels(content: bytes, limits: ReadLimits) -> tuple[NiftiHeader, npt.NDArray[np.generic]]:
    """The checked header and the stored numbers, flat, x fastest."""
    if len(content) > limits.file_bytes:
        raise VolumeTooLargeError(f"{len(content)} bytes, the limit is {limits.file_bytes}")
    if content[:2] == GZIP_MAGIC:
        stream = Gunzip(content, max_ratio=limits.ratio, ratio_floor=limits.ratio_floor)
        start = stream.read(HEADER_BYTES_MAX)
        header = checked_header(start, limits)
        end = header.offset + header.voxels * header.dtype.itemsize
        unpacked = start + stream.read(end - len(start))
        if len(unpacked) >= end:
            stream.require_end(limits.extension_bytes)
        content = unpacked
    else:
        header = checked_header(content[:HEADER_BYTES_MAX], limits)
    available = max(len(content) - header.offset, 0)
    if available < header.voxels * header.dtype.itemsize:
        raise VolumeNotNiftiError(
            f"cut short: {available} bytes of voxels, shape {header.geometry.shape} of {header.dtype.name}"
            f" needs {header.voxels * header.dtype.itemsize}"
        )
    return header, np.frombuffer(content, dtype=header.dtype, count=header.voxels, offset=header.offset)


def checked_header(start: bytes, limits: ReadLimits) -> NiftiHeader:
    """``parse_header`` with these limits, that on the room before the voxels included."""
    header = parse_header(start, limits.voxels)
    if header.offset > HEADER_BYTES_MAX + limits.extension_bytes:
        raise VolumeTooLargeError(f"the voxels start at byte {header.offset}, after too long a header")
    return header


def scaled(block: npt.NDArray[np.generic], header: NiftiHeader) -> npt.NDArray[np.float64]:
    """The intensities that stored numbers stand for."""
    with np.errstate(over="ignore", invalid="ignore"):
        return block.astype(np.float64) * header.slope + header.intercept


def whole(block: npt.NDArray[np.generic], header: NiftiHeader) -> npt.NDArray[np.uint16]:
    """The labels that stored numbers stand for.

    Raises:
        LabelsNotIntegerError: as ``segmentation_from_bytes``.
    """
    # Float64 holds every label exactly, and every stored number near enough to be refused.
    values = scaled(block, header)
    rounded = np.round(values)
    with np.errstate(invalid="ignore"):
        fits = (rounded >= 0) & (rounded <= LABEL_LIMIT) & (np.abs(values - rounded) <= (1e-3 if header.scaled else 0))
    if not fits.all():
        raise LabelsNotIntegerError(f"labels must be whole numbers from 0 to {LABEL_LIMIT}, got {values[~fits][0]:g}")
    return rounded.astype(np.uint16)


def _to_bytes(data: npt.NDArray[np.generic], geometry: Geometry, compressed: bool) -> bytes:
    if max(geometry.shape) <= NIFTI1_AXIS_LIMIT:
        image = Nifti1Image(data, geometry.affine)
    else:
        image = Nifti2Image(data, geometry.affine)
    image.set_sform(geometry.affine, code=1)
    # A qform holds right angles only. A reader that prefers it must find the sform's grid there or nothing.
    image.set_qform(geometry.affine if geometry.has_right_angles else None, code=int(geometry.has_right_angles))
    image.header.set_xyzt_units(xyz="mm")
    content = bytes(image.to_bytes())
    return gzipped(content) if compressed else content


def _is_compressed(path: Path) -> bool:
    if path.name.endswith(".nii.gz"):
        return True
    if path.name.endswith(".nii"):
        return False
    raise OptionInvalidError(f"{path}: a volume's name ends in .nii or .nii.gz")


def _read_file(path: Path, limits: ReadLimits) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise FileUnreadableError(error.strerror or type(error).__name__) from None
    if len(content) > limits.file_bytes:
        raise VolumeTooLargeError(f"larger than the limit of {limits.file_bytes} bytes")
    return content


def _write_file(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FileUnreadableError(f"{path}: {error.strerror or type(error).__name__}") from None
