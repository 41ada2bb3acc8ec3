"""Learn2Reg's displacements: voxels in array order, read by its evaluation script as ``moving(i + d(i))``, order 0.

The script takes either a NIfTI of shape (X, Y, Z, 3), whose header it ignores, or an ``.npz`` of one such array. Both
images are arrays to it; their grids may differ, so d carries the way from one grid to the other:

    d(i) = A_M⁻¹ (A_F i + u(i)) − i.
"""

import io
import zipfile

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.files.nifti_content import BYTES_LIMIT, nifti_image, nifti_to_bytes, parse_nifti, spatial_geometry
from eigenwarp.volume import Geometry


def voxel_displacement(field: DisplacementField, moving: Geometry) -> npt.NDArray[np.float32]:
    """d, (X, Y, Z, 3): from each fixed index to its moving index.

    Args:
        field: fixed → moving.
        moving: the moving image's grid, as stored.
    """
    x, y, z = field.geometry.shape
    landed = field.voxels_on(moving).reshape(3, x, y, z)
    d = np.moveaxis(landed, 0, -1) - field.geometry.voxel_grid()
    return np.ascontiguousarray(d, dtype=np.float32)


def field_from_voxels(d: npt.NDArray[np.floating], fixed: Geometry, moving: Geometry) -> DisplacementField:
    """The inverse of ``voxel_displacement``: u(i) = A_M (i + d(i)) − A_F i.

    Raises:
        FieldInvalidError: the array does not have the fixed grid's shape and three components.
    """
    if d.shape != (*fixed.shape, 3):
        raise FieldInvalidError(f"displacements of shape {d.shape}, the fixed grid needs {(*fixed.shape, 3)}")
    index = fixed.voxel_grid()
    return DisplacementField((moving.to_world(index + d) - fixed.to_world(index)).astype(np.float32), fixed)


def learn2reg_nifti(field: DisplacementField, moving: Geometry, compressed: bool) -> bytes:
    """A NIfTI file of shape (X, Y, Z, 3)."""
    return nifti_to_bytes(nifti_image(voxel_displacement(field, moving), field.geometry), compressed)


def learn2reg_archive(field: DisplacementField, moving: Geometry) -> bytes:
    """An ``.npz`` of one array."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, voxel_displacement(field, moving))
    return buffer.getvalue()


def field_from_nifti(content: bytes, moving: Geometry) -> DisplacementField:
    """Read a NIfTI file of shape (X, Y, Z, 3); its affine is the fixed grid's.

    Raises:
        FieldInvalidError: no NIfTI, or another shape.
    """
    image = parse_nifti(content)
    if len(image.shape) != 4 or image.shape[3] != 3:
        raise FieldInvalidError(f"a field of format learn2reg has shape (X, Y, Z, 3), got {image.shape}")
    return field_from_voxels(np.asanyarray(image.dataobj), spatial_geometry(image), moving)


def field_from_archive(content: bytes, fixed: Geometry, moving: Geometry) -> DisplacementField:
    """Read an ``.npz`` of one array of any name, which holds no grid of its own.

    Raises:
        FieldInvalidError: no such archive, several arrays, no real numbers, or another shape than the fixed grid's.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > BYTES_LIMIT:
            raise FieldInvalidError(f"the archive unpacks to {unpacked} bytes, the limit is {BYTES_LIMIT}")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if len(arrays.files) != 1:
                raise FieldInvalidError(f"the archive must hold one array, it holds {len(arrays.files)}")
            d = arrays[arrays.files[0]]
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise FieldInvalidError(f"not an archive of arrays: {error}") from None
    if not isinstance(d, np.ndarray) or d.dtype.kind not in "fiu":
        raise FieldInvalidError("the archive's member is no array of real numbers")
    return field_from_voxels(d, fixed, moving)
