"""Displacement fields in and out of files, in the convention that the reading program expects.

Inside there is one convention (``eigenwarp.field.DisplacementField``); it is converted here and nowhere else. The
format is always named by the caller: two of them cannot be told apart by looking at the numbers.
"""

from pathlib import Path

from eigenwarp.errors import EigenwarpError, FileUnreadableError, OptionInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.files.field_format import FieldFormat
from eigenwarp.files.learn2reg import field_from_archive, field_from_nifti, learn2reg_archive, learn2reg_nifti
from eigenwarp.files.world_field_nifti import world_field_from_bytes, world_field_to_bytes
from eigenwarp.volume import Geometry

__all__ = ["FieldFormat", "field_from_bytes", "field_to_bytes", "read_field", "write_field"]

_SUFFIXES = (".nii.gz", ".nii", ".npz")
_ZIP_MAGIC = b"PK\x03\x04"


def write_field(
    field: DisplacementField, path: Path, format: FieldFormat = FieldFormat.ITK, moving: Geometry | None = None
) -> None:
    """Write a field to ``.nii`` or ``.nii.gz``, and ``learn2reg`` also to ``.npz``, by the path's ending.

    Args:
        field: fixed → moving.
        path: where to; an existing file is replaced.
        format: what the reading program expects.
        moving: the moving image's grid, which ``learn2reg`` needs.

    Raises:
        OptionInvalidError: the ending does not fit the format, or ``learn2reg`` without the moving grid.
        GeometryInvalidError: the fixed grid cannot be held by the format.
        FileUnreadableError: the file cannot be written.
    """
    content = field_to_bytes(field, format, moving, suffix=_suffix(path))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FileUnreadableError(f"{path}: cannot be written: {error.strerror}") from None


def field_to_bytes(
    field: DisplacementField,
    format: FieldFormat = FieldFormat.ITK,
    moving: Geometry | None = None,
    suffix: str = ".nii.gz",
) -> bytes:
    """The bytes of a field file; see ``write_field``. The same field gives the same NIfTI bytes.

    Args:
        field, format, moving: as ``write_field``.
        suffix: ``.nii.gz``, ``.nii`` or (``learn2reg`` only) ``.npz``.
    """
    _require_suffix(format, suffix)
    if format is not FieldFormat.LEARN2REG:
        return world_field_to_bytes(field, format, compressed=suffix == ".nii.gz")
    if moving is None:
        raise OptionInvalidError("a field of format learn2reg is in voxels of the moving image: its grid is needed")
    if suffix == ".npz":
        return learn2reg_archive(field, moving)
    return learn2reg_nifti(field, moving, compressed=suffix == ".nii.gz")


def read_field(
    path: Path,
    format: FieldFormat = FieldFormat.ITK,
    moving: Geometry | None = None,
    fixed: Geometry | None = None,
) -> DisplacementField:
    """Read a field that Eigenwarp or another program wrote; see ``field_from_bytes``.

    Raises:
        FileUnreadableError: the file is missing or cannot be read.
        EigenwarpError: as ``field_from_bytes``; the detail starts with the path.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileUnreadableError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return field_from_bytes(content, format, moving, fixed)
    except EigenwarpError as error:
        raise type(error)(f"{path}: {error.detail}") from None


def field_from_bytes(
    content: bytes,
    format: FieldFormat = FieldFormat.ITK,
    moving: Geometry | None = None,
    fixed: Geometry | None = None,
) -> DisplacementField:
    """Read a field from a file's bytes; NIfTI, gzipped NIfTI and ``.npz`` are told apart by content.

    Args:
        content: the file.
        format: the convention it was written in.
        moving: the moving image's grid, which ``learn2reg`` needs.
        fixed: the fixed image's grid, which an ``.npz`` needs.

    Raises:
        FieldInvalidError: another shape or intent than the format's, damaged, or not finite.
        GeometryInvalidError: no usable affine.
        OptionInvalidError: a grid that the format needs is not given.
    """
    if format is not FieldFormat.LEARN2REG:
        return world_field_from_bytes(content, format)
    if moving is None:
        raise OptionInvalidError("a field of format learn2reg is in voxels of the moving image: its grid is needed")
    if content[:4] != _ZIP_MAGIC:
        return field_from_nifti(content, moving)
    if fixed is None:
        raise OptionInvalidError("an .npz holds no grid: the fixed image's is needed")
    return field_from_archive(content, fixed, moving)


def _suffix(path: Path) -> str:
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix):
            return suffix
    raise OptionInvalidError(f"{path}: a field's name ends in {', '.join(_SUFFIXES)}")


def _require_suffix(format: FieldFormat, suffix: str) -> None:
    allowed = _SUFFIXES if format is FieldFormat.LEARN2REG else _SUFFIXES[:2]
    if suffix not in allowed:
        raise OptionInvalidError(f"a field of format {format} is written as {' or '.join(allowed)}, not {suffix}")
