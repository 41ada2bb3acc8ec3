"""The three NIfTI formats in world millimetres: (X, Y, Z, 1, 3), told apart by their intent."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from nibabel.nifti1 import Nifti1Image

from eigenwarp.errors import FieldInvalidError, GeometryInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.files.field_format import FieldFormat
from eigenwarp.files.nifti_content import nifti_image, nifti_to_bytes, parse_nifti, spatial_geometry

DISPLACEMENT_VECTOR: Final = 1006
VECTOR: Final = 1007
NIFTYREG_NAME: Final = "NREG_TRANS"
# NiftyReg's numbering of what a vector image holds: 0 deformation (positions), 1 displacement, further ones splines.
NIFTYREG_DISPLACEMENT: Final = 1


@dataclass(frozen=True)
class _Layout:
    intent: int
    name: str
    parameter: int
    signs: tuple[int, int, int]

    def __str__(self) -> str:
        return f"intent {self.intent}" + (f" {self.name} with parameter {self.parameter}" if self.name else "")


_RAS, _LPS = (1, 1, 1), (-1, -1, 1)
_LAYOUTS: Final = {
    FieldFormat.ITK: _Layout(VECTOR, "", 0, _LPS),
    FieldFormat.RAS: _Layout(DISPLACEMENT_VECTOR, "", 0, _RAS),
    FieldFormat.NIFTYREG: _Layout(VECTOR, NIFTYREG_NAME, NIFTYREG_DISPLACEMENT, _RAS),
}


def world_field_to_bytes(field: DisplacementField, format: FieldFormat, compressed: bool) -> bytes:
    """A NIfTI file in one of the formats ``itk``, ``ras`` and ``niftyreg``.

    Raises:
        GeometryInvalidError: the fixed grid's axes are not at right angles and the format is read by ITK, which would
            take the grid for another.
    """
    layout = _LAYOUTS[format]
    if format is not FieldFormat.NIFTYREG and not field.geometry.has_right_angles:
        raise GeometryInvalidError(f"the fixed grid's axes are not at right angles: ITK cannot hold it ({format})")
    vectors = field.displacement * np.array(layout.signs, dtype=np.float32)
    image = nifti_image(vectors[:, :, :, None, :], field.geometry)
    image.header["intent_code"] = layout.intent
    image.header["intent_name"] = layout.name.encode()
    # nibabel's set_intent refuses a parameter for a vector intent, and NiftyReg wants one.
    image.header["intent_p1"] = layout.parameter
    return nifti_to_bytes(image, compressed)


def world_field_from_bytes(content: bytes, format: FieldFormat) -> DisplacementField:
    """Read one of the formats ``itk``, ``ras`` and ``niftyreg``.

    Raises:
        FieldInvalidError: no NIfTI, another shape, or an intent that means something else.
    """
    layout = _LAYOUTS[format]
    image = parse_nifti(content)
    shape = tuple(int(size) for size in image.shape)
    if len(shape) != 5 or shape[3:] != (1, 3):
        raise FieldInvalidError(f"a field of format {format} has shape (X, Y, Z, 1, 3), got {shape}")
    found = _found_layout(image)
    if (found.intent, found.name, found.parameter) != (layout.intent, layout.name, layout.parameter):
        raise FieldInvalidError(f"a field of format {format} has {layout}, got {_explained(found)}")
    vectors = np.asanyarray(image.dataobj)[:, :, :, 0, :] * np.array(layout.signs, dtype=np.float32)
    return DisplacementField(vectors, spatial_geometry(image))


def _found_layout(image: Nifti1Image) -> _Layout:
    header = image.header
    name = bytes(header["intent_name"].item()).decode("ascii", errors="replace")
    intent = int(header["intent_code"])
    if intent != VECTOR or name != NIFTYREG_NAME:
        # Only NiftyReg gives the name a meaning.
        return _Layout(intent, "", 0, _RAS)
    return _Layout(intent, name, int(header["intent_p1"]), _RAS)


def _explained(found: _Layout) -> str:
    for format, layout in _LAYOUTS.items():
        if (found.intent, found.name, found.parameter) == (layout.intent, layout.name, layout.parameter):
            return f"{found}, which is the format {format}"
    if found.name:
        return f"{found}, which is another kind of NiftyReg transform (0: a deformation, 2 and up: splines, velocities)"
    return f"{found}, which is no vector field"
