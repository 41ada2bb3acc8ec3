"""NIfTI bytes in and out for arrays of more than three axes; scalar volumes have ``eigenwarp.volume.nifti``."""

from typing import Final

import numpy as np
import numpy.typing as npt
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image
from nibabel.spatialimages import HeaderDataError, SpatialImage
from nibabel.wrapstruct import WrapStructError

from eigenwarp.errors import FieldInvalidError, VolumeNotNiftiError, VolumeTooLargeError
from eigenwarp.volume import Geometry
from eigenwarp.volume.gunzip import GZIP_MAGIC, Gunzip
from eigenwarp.volume.gzipping import gzipped

# A 512³ field of three float32 components has 1.5 GiB.
BYTES_LIMIT: Final = 2 * 1024**3
_RATIO, _RATIO_FLOOR = 1000, 64 * 1024**2
_NIFTI1_AXIS_LIMIT: Final = 32767
_NIFTI2_HEADER_SIZE: Final = 540


def nifti_image(data: npt.NDArray[np.float32], geometry: Geometry) -> Nifti1Image:
    """An image whose first three axes lie on the grid, both transforms with code 1; NIfTI-2 for the longest axes."""
    if max(geometry.shape) <= _NIFTI1_AXIS_LIMIT:
        image = Nifti1Image(data, geometry.affine)
    else:
        image = Nifti2Image(data, geometry.affine)
    image.set_sform(geometry.affine, code=1)
    image.set_qform(geometry.affine if geometry.has_right_angles else None, code=int(geometry.has_right_angles))
    image.header.set_xyzt_units(xyz="mm")
    return image


def nifti_to_bytes(image: Nifti1Image, compressed: bool) -> bytes:
    """The file's bytes; the same image gives the same bytes."""
    content = bytes(image.to_bytes())
    return gzipped(content) if compressed else content


def parse_nifti(content: bytes) -> Nifti1Image:
    """A NIfTI-1 or NIfTI-2 image of any number of axes, gzipped or not.

    Raises:
        FieldInvalidError: no NIfTI, damaged, cut short, larger than the limit, not numbers, or in another unit than mm.
    """
    try:
        if content[:2] == GZIP_MAGIC:
            content = Gunzip(content, max_ratio=_RATIO, ratio_floor=_RATIO_FLOOR).read(BYTES_LIMIT + 1)
    except (VolumeNotNiftiError, VolumeTooLargeError) as error:
        raise FieldInvalidError(error.detail) from None
    if len(content) > BYTES_LIMIT:
        raise FieldInvalidError(f"more than {BYTES_LIMIT} bytes")
    try:
        image = _image_class(content).from_bytes(content)
        needed = int(np.prod(image.shape, dtype=object)) * image.get_data_dtype().itemsize
        # The header's own vox_offset is cleared on loading; the proxy keeps it.
        offset = image.dataobj.offset if isinstance(image.dataobj, ArrayProxy) else 0
        available = len(content) - int(offset)
    except (ImageFileError, HeaderDataError, WrapStructError, ValueError, OverflowError, KeyError) as error:
        raise FieldInvalidError(f"not a NIfTI file: {error}") from None
    if min(image.shape, default=0) < 1 or available < needed:
        raise FieldInvalidError(f"cut short: shape {image.shape} needs {needed} bytes, there are {max(available, 0)}")
    if image.get_data_dtype().kind not in "fiu":
        raise FieldInvalidError(f"a field holds real numbers, got {image.get_data_dtype()}")
    if image.header.get_xyzt_units()[0] not in ("mm", "unknown"):
        raise FieldInvalidError(f"a field is in millimetres, the header says {image.header.get_xyzt_units()[0]}")
    return image


def _image_class(content: bytes) -> type[Nifti1Image]:
    sizes = {int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big")}
    return Nifti2Image if _NIFTI2_HEADER_SIZE in sizes else Nifti1Image


def spatial_geometry(image: SpatialImage) -> Geometry:
    """The grid of an image's first three axes.

    Raises:
        GeometryInvalidError: no usable affine.
    """
    x, y, z = (int(size) for size in image.shape[:3])
    affine = image.affine
    return Geometry((x, y, z), np.full((4, 4), np.nan) if affine is None else affine)
