"""What a NIfTI header says, believed only after checking: shape, voxel type, offset, scaling and affine."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from nibabel.nifti1 import header_dtype as nifti1_dtype
from nibabel.nifti2 import header_dtype as nifti2_dtype
from nibabel.quaternions import quat2mat

from eigenwarp.errors import (
    EmptyVolumeError,
    GeometryInvalidError,
    VolumeNotNiftiError,
    VolumeShapeError,
    VolumeTooLargeError,
    VoxelsNotFiniteError,
)
from eigenwarp.volume.geometry import Geometry, Shape

ByteOrder = Literal["little", "big"]

HEADER_BYTES_MAX: Final = 540
NIFTI1_AXIS_LIMIT: Final = 32767
# The shortest start that a voxel block can have: the header and its four extension flags.
_LAYOUTS: Final = {
    348: (nifti1_dtype, b"n+1\0", 352),
    540: (nifti2_dtype, b"n+2\0\r\n\x1a\n", 544),
}
_SCALAR_TYPES: Final = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_OTHER_TYPES: Final = {
    1: "single bits", 32: "complex numbers", 128: "RGB colours", 1536: "128-bit floats",
    1792: "complex numbers", 2048: "complex numbers", 2304: "RGBA colours",
}  # fmt: skip
_MILLIMETRES: Final = {0: 1.0, 1: 1e3, 2: 1.0, 3: 1e-3}


@dataclass(frozen=True)
class NiftiHeader:
    """The checked part of a header that reading needs; names and free text are left behind.

    Args:
        geometry: grid in world RAS mm.
        dtype: scalar voxel type with its byte order.
        offset: bytes before the first voxel.
        slope: intensities are ``stored · slope + intercept``.
        intercept: see ``slope``.
    """

    geometry: Geometry
    dtype: np.dtype[np.generic]
    offset: int
    slope: float
    intercept: float

    @property
    def voxels(self) -> int:
        x, y, z = self.geometry.shape
        return x * y * z

    @property
    def scaled(self) -> bool:
        return (self.slope, self.intercept) != (1.0, 0.0)


def parse_header(start: bytes, max_voxels: int) -> NiftiHeader:
    """Read a header from a file's first bytes (NIfTI-1 or -2, single file, either byte order).

    Args:
        start: at least the header's 348 or 540 bytes; more is ignored.
        max_voxels: larger images are refused.

    Raises:
        VolumeNotNiftiError: no NIfTI header, a two-file image, or fields without meaning.
        VolumeShapeError: not three axes, or voxels that are no scalars.
        VolumeTooLargeError, EmptyVolumeError, GeometryInvalidError, VoxelsNotFiniteError: as their names say.
    """
    size, order = _layout(start)
    dtype, magic, first_voxel = _LAYOUTS[size]
    header = np.frombuffer(start[:size], dtype=np.dtype(dtype).newbyteorder(order))[0]
    found = start[4:12] if size == 540 else start[344:348]
    if found != magic:
        if found[:3] in (b"ni1", b"ni2"):
            raise VolumeNotNiftiError("a header of a two-file image (.hdr/.img): store it as one .nii file")
        raise VolumeNotNiftiError(f"the header's magic is {found!r}, expected {magic!r}")
    shape = _shape([int(n) for n in header["dim"]], max_voxels)
    code = int(header["datatype"])
    if code in _OTHER_TYPES:
        raise VolumeShapeError(f"voxels are {_OTHER_TYPES[code]} (datatype {code}): expected one number per voxel")
    if code not in _SCALAR_TYPES:
        raise VolumeNotNiftiError(f"datatype {code} is no NIfTI voxel type")
    slope, intercept = _scaling(float(header["scl_slope"]), float(header["scl_inter"]))
    return NiftiHeader(
        geometry=Geometry(shape, _affine(header)).require_right_angles(),
        dtype=np.dtype(_SCALAR_TYPES[code]).newbyteorder(order),
        offset=_offset(float(header["vox_offset"]), first_voxel),
        slope=slope,
        intercept=intercept,
    )


def _layout(start: bytes) -> tuple[int, ByteOrder]:
    orders: tuple[ByteOrder, ...] = ("little", "big")
    for order in orders:
        size = int.from_bytes(start[:4], order)
        if size in _LAYOUTS:
            if len(start) < size:
                raise VolumeNotNiftiError(f"{len(start)} bytes are too few for a NIfTI header of {size}")
            return size, order
    raise VolumeNotNiftiError(f"not a NIfTI file: it starts with {start[:4].hex(' ') or 'nothing'}")


def _shape(dim: list[int], max_voxels: int) -> Shape:
    axes = dim[0]
    if not 0 <= axes <= 7:
        raise VolumeNotNiftiError(f"the header counts {axes} axes, NIfTI has 1 to 7")
    sizes = dim[1 : axes + 1]
    if axes == 0 or min(sizes) < 1:
        raise EmptyVolumeError(f"an image needs at least one voxel along each axis, got shape {tuple(sizes)}")
    if axes < 3 or max(sizes[3:], default=1) > 1:
        raise VolumeShapeError(f"the image has shape {tuple(sizes)}: expected three axes")
    x, y, z = sizes[:3]
    if x * y * z > max_voxels:
        raise VolumeTooLargeError(f"shape {x}×{y}×{z} is {x * y * z} voxels, the limit is {max_voxels}")
    return x, y, z


def _offset(stored: float, first_voxel: int) -> int:
    if stored == 0:
        return first_voxel
    if not (np.isfinite(stored) and stored >= first_voxel and stored == int(stored)):
        raise VolumeNotNiftiError(f"the voxels' offset is {stored:g}, expected a whole number from {first_voxel}")
    return int(stored)


def _scaling(slope: float, intercept: float) -> tuple[float, float]:
    # The standard: a slope of zero means unscaled. Nibabel's writers leave NaN for the same.
    if slope == 0 or np.isnan(slope):
        return 1.0, 0.0
    if not (np.isfinite(slope) and np.isfinite(intercept)):
        raise VoxelsNotFiniteError(f"the header scales intensities by {slope:g} and adds {intercept:g}")
    return slope, intercept


def _affine(header: np.void) -> npt.NDArray[np.float64]:
    """The sform where set, else the qform, in mm. Left and right are never guessed from an unset pair."""
    if int(header["sform_code"]) > 0:
        affine = np.eye(4)
        affine[:3] = [header["srow_x"], header["srow_y"], header["srow_z"]]
    elif int(header["qform_code"]) > 0:
        affine = _qform(header)
    else:
        raise GeometryInvalidError("neither sform nor qform is set: left and right cannot be told apart")
    unit = int(header["xyzt_units"]) & 7
    if unit not in _MILLIMETRES:
        raise GeometryInvalidError(f"spatial unit {unit} is none of 0 unknown, 1 metre, 2 millimetre, 3 micrometre")
    with np.errstate(over="ignore"):
        affine[:3] *= _MILLIMETRES[unit]
    return affine


def _qform(header: np.void) -> npt.NDArray[np.float64]:
    quaternion = np.array([header["quatern_b"], header["quatern_c"], header["quatern_d"]], dtype=np.float64)
    spacing = np.array(header["pixdim"][1:4], dtype=np.float64)
    origin = np.array([header["qoffset_x"], header["qoffset_y"], header["qoffset_z"]], dtype=np.float64)
    handedness = float(header["pixdim"][0])
    if not np.isfinite([*quaternion, *spacing, *origin, handedness]).all():
        raise GeometryInvalidError(
            f"the qform is not finite: quaternion {quaternion.tolist()}, spacing {spacing.tolist()},"
            f" offset {origin.tolist()}, handedness {handedness:g}"
        )
    if spacing.min() <= 0:
        raise GeometryInvalidError(f"the spacing must be positive, got {spacing.tolist()}")
    length = math.hypot(*quaternion)
    if length > 1 + 1e-3:
        raise GeometryInvalidError(f"the qform's quaternion has length {length:g}, expected at most 1")
    square = length**2
    # Near half turns the scalar part drowns in the others' rounding: zero is then the better guess, as in nibabel.
    rounding = 3 * float(np.finfo(header["quatern_b"].dtype).eps)
    scalar = (1 - square) ** 0.5 if 1 - square > rounding else 0.0
    rotation = quat2mat([scalar, *quaternion])
    affine = np.eye(4)
    with np.errstate(over="ignore"):
        affine[:3, :3] = rotation * spacing * (1, 1, -1 if handedness < 0 else 1)
    affine[:3, 3] = origin
    return affine
