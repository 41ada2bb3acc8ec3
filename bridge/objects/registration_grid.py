"""The item of a Deformable Spatial Registration that holds the field (PS3.3, C.20.3.1)."""

from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.valuerep import DSfloat

from bridge.objects.errors import FindingInvalidError, RegistrationObjectError
from eigenwarp.errors import EigenwarpError
from eigenwarp.field import DisplacementField
from eigenwarp.volume import Geometry

_GRID_ATTRIBUTES: Final = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "GridDimensions",
    "GridResolution",
    "VectorGridData",
)
_LPS: Final = np.array((-1.0, -1.0, 1.0))
_VECTOR: Final = np.dtype("<f4")
_VECTOR_BYTES: Final = 3 * _VECTOR.itemsize
# An element's length is 32 bits and even.
_BYTES_LIMIT: Final = 2**32 - 2
# Length of a direction that still counts as a unit vector; a Decimal String holds 1e-10.
_DIRECTION_TOLERANCE: Final = 1e-4


def grid_item(field: DisplacementField) -> Dataset:
    """A field as an item of the Deformable Registration Grid Sequence.

    The grid's depth is the cross product of its rows and columns, so a left-handed grid is written from its last plane
    to its first.

    Raises:
        GeometryInvalidError: the grid is sheared.
        FindingInvalidError: more vectors than one element holds.
    """
    geometry = field.geometry.require_right_angles()
    size = _VECTOR_BYTES * int(np.prod(geometry.shape, dtype=np.int64))
    if size > _BYTES_LIMIT:
        raise FindingInvalidError(
            f"a field of shape {geometry.shape} takes {size} bytes, an element of DICOM holds {_BYTES_LIMIT}"
        )
    displacement = field.displacement
    if np.linalg.det(geometry.affine[:3, :3]) < 0:
        geometry, displacement = _planes_reversed(geometry), displacement[:, :, ::-1]
    directions = _LPS[:, None] * geometry.affine[:3, :3] / geometry.spacing
    item = Dataset()
    item.ImagePositionPatient = _decimals(_LPS * geometry.affine[:3, 3])
    item.ImageOrientationPatient = _decimals(np.concatenate((directions[:, 0], directions[:, 1])))
    item.GridDimensions = list(geometry.shape)
    item.GridResolution = list(geometry.spacing)
    # x fastest: the array's first axis goes last.
    vectors = np.transpose(displacement, (2, 1, 0, 3)) * _LPS.astype(_VECTOR)
    item.VectorGridData = np.ascontiguousarray(vectors, dtype=_VECTOR).tobytes()
    return item


def read_grid_item(item: Dataset) -> DisplacementField:
    """The field of such an item.

    Raises:
        RegistrationObjectError: an attribute is missing, the vectors are not as many as the grid's points, undefined
            (NaN) at some, or the grid cannot be one.
    """
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "GridDimensions",
        "GridResolution",
        "VectorGridData",
    ):
        if item.get(keyword) in (None, ""):
            raise RegistrationObjectError(f"the registration grid has no {keyword}")
    x, y, z = _three("GridDimensions", item.GridDimensions)
    shape = (int(x), int(y), int(z))
    data: bytes = item.VectorGridData
    if len(data) != _VECTOR_BYTES * int(np.prod(shape, dtype=np.int64)):
        raise RegistrationObjectError(
            f"the registration grid of {shape} points holds {len(data)} bytes of vectors,"
            f" expected {_VECTOR_BYTES * int(np.prod(shape, dtype=np.int64))}"
        )
    vectors = np.frombuffer(data, dtype=_VECTOR).reshape(shape[2], shape[1], shape[0], 3)
    try:
        geometry = Geometry(shape, _affine(item))
        return DisplacementField(np.transpose(vectors, (2, 1, 0, 3)) * _LPS.astype(_VECTOR), geometry)
    except EigenwarpError as error:
        raise RegistrationObjectError(f"the registration grid: {error.detail}") from None


def _affine(item: Dataset) -> npt.NDArray[np.float64]:
    orientation = np.array([float(value) for value in item.ImageOrientationPatient])
    if orientation.shape != (6,):
        raise RegistrationObjectError(f"ImageOrientationPatient has {orientation.size} values, expected 6")
    row, column = orientation[:3], orientation[3:]
    deviation = np.abs(np.array((row @ row - 1, column @ column - 1, row @ column))).max()
    if deviation > _DIRECTION_TOLERANCE:
        raise RegistrationObjectError(
            f"the registration grid's rows and columns are {deviation:.2g} from orthonormal,"
            f" up to {_DIRECTION_TOLERANCE:g} is rounding"
        )
    affine = np.eye(4)
    directions = np.stack((row, column, np.cross(row, column)), axis=1)
    affine[:3, :3] = _LPS[:, None] * directions * _three("GridResolution", item.GridResolution)
    affine[:3, 3] = _LPS * _three("ImagePositionPatient", item.ImagePositionPatient)
    return affine


def _planes_reversed(geometry: Geometry) -> Geometry:
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_world((0, 0, geometry.shape[2] - 1))
    affine[:3, 2] *= -1
    return Geometry(geometry.shape, affine)


def _decimals(values: npt.NDArray[np.float64]) -> list[DSfloat]:
    """As many digits as the 16 characters of a Decimal String hold."""
    return [DSfloat(float(value) + 0.0, auto_format=True) for value in values]


def _three(keyword: str, values: object) -> npt.NDArray[np.float64]:
    found = np.atleast_1d(np.array(values, dtype=np.float64))
    if found.shape != (3,):
        raise RegistrationObjectError(f"{keyword} has {found.size} values, expected 3")
    return found
