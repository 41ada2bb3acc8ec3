import gzip
import io
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from eigenwarp.errors import FieldInvalidError, FileUnreadableError, GeometryInvalidError, OptionInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.files import FieldFormat, field_from_bytes, field_to_bytes, read_field, write_field
from eigenwarp.volume import Geometry
from tests.field.pairs import random_geometry

RNG = np.random.default_rng(0)
FIXED = random_geometry(RNG, (5, 6, 7))
MOVING = random_geometry(RNG, (8, 5, 6))
FIELD = DisplacementField(RNG.uniform(-20, 20, (5, 6, 7, 3)), FIXED)
WORLD_FORMATS = [FieldFormat.ITK, FieldFormat.RAS, FieldFormat.NIFTYREG]


def nifti(data: np.ndarray, intent: int = 0, name: bytes = b"", parameter: float = 0) -> bytes:
    image = nib.Nifti1Image(data, FIXED.affine)
    image.header["intent_code"] = intent
    image.header["intent_name"] = name
    image.header["intent_p1"] = parameter
    return image.to_bytes()


@pytest.mark.parametrize("format", FieldFormat)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_every_nifti_format_comes_back(format: FieldFormat, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"field{suffix}"
    write_field(FIELD, path, format, MOVING)
    back = read_field(path, format, MOVING)
    np.testing.assert_allclose(back.displacement, FIELD.displacement, atol=1e-4)
    assert back.geometry.matches(FIXED)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == (suffix == ".nii.gz")


def test_a_learn2reg_archive_comes_back(tmp_path: Path) -> None:
    write_field(FIELD, tmp_path / "disp.npz", FieldFormat.LEARN2REG, MOVING)
    back = read_field(tmp_path / "disp.npz", FieldFormat.LEARN2REG, MOVING, FIXED)
    np.testing.assert_allclose(back.displacement, FIELD.displacement, atol=1e-4)


@pytest.mark.parametrize(
    ("format", "intent", "name", "parameter", "signs"),
    [
        (FieldFormat.ITK, 1007, b"", 0, (-1, -1, 1)),
        (FieldFormat.RAS, 1006, b"", 0, (1, 1, 1)),
        (FieldFormat.NIFTYREG, 1007, b"NREG_TRANS", 1, (1, 1, 1)),
    ],
)
def test_the_header_says_what_the_reading_program_looks_for(
    format: FieldFormat, intent: int, name: bytes, parameter: int, signs: tuple[int, int, int]
) -> None:
    """By the offsets of the NIfTI-1 header, as the programs read it."""
    content = field_to_bytes(FIELD, format, suffix=".nii")
    assert np.frombuffer(content, "<i2", 6, 40).tolist() == [5, 5, 6, 7, 1, 3]
    assert np.frombuffer(content, "<f4", 1, 56)[0] == parameter
    assert np.frombuffer(content, "<i2", 1, 68)[0] == intent
    assert np.frombuffer(content, "<i2", 1, 70)[0] == 16, "float32"
    assert content[123] & 7 == 2, "millimetres"
    assert np.frombuffer(content, "<i2", 2, 252).tolist() == [1, 1], "qform and sform codes"
    np.testing.assert_allclose(np.frombuffer(content, "<f4", 12, 280).reshape(3, 4), FIXED.affine[:3], rtol=1e-6)
    assert content[328:344].rstrip(b"\0") == name
    voxels = np.frombuffer(content, "<f4", 5 * 6 * 7 * 3, 352).reshape((5, 6, 7, 3), order="F")
    np.testing.assert_array_equal(voxels, FIELD.displacement * np.float32(signs))


def test_the_qform_is_the_sform() -> None:
    image = nib.Nifti1Image.from_bytes(field_to_bytes(FIELD, suffix=".nii"))
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)


@pytest.mark.parametrize("format", FieldFormat)
def test_the_same_field_gives_the_same_bytes(format: FieldFormat) -> None:
    assert field_to_bytes(FIELD, format, MOVING) == field_to_bytes(FIELD, format, MOVING)


@pytest.mark.parametrize("written", WORLD_FORMATS)
@pytest.mark.parametrize("asked", WORLD_FORMATS)
def test_one_format_is_never_taken_for_another(written: FieldFormat, asked: FieldFormat) -> None:
    content = field_to_bytes(FIELD, written)
    if written is asked:
        assert field_from_bytes(content, asked).geometry.matches(FIXED)
    else:
        with pytest.raises(FieldInvalidError, match=f"format {asked} .* which is the format {written}"):
            field_from_bytes(content, asked)


FIVE = np.zeros((5, 6, 7, 1, 3), np.float32)


@pytest.mark.parametrize("format", WORLD_FORMATS)
@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (nifti(FIVE[:, :, :, 0], 1007), r"shape \(X, Y, Z, 1, 3\), got \(5, 6, 7, 3\)"),
        (nifti(FIVE[..., :2], 1007), r"got \(5, 6, 7, 1, 2\)"),
        (nifti(FIVE[..., 0, 0], 1007), r"got \(5, 6, 7\)"),
        (nifti(FIVE.repeat(2, axis=3), 1007), r"got \(5, 6, 7, 2, 3\)"),
        (nifti(FIVE), "intent 0, which is no vector field"),
        (nifti(FIVE, 1005), "intent 1005"),
        (nifti(FIVE, 1007, b"NREG_TRANS", 0), "with parameter 0, which is another kind of NiftyReg transform"),
        (nifti(FIVE.astype(np.complex64), 1007), "real numbers"),
        (nifti(FIVE, 1007)[:-4], "cut short|not a NIfTI"),
        (nifti(FIVE, 1007)[:300], "not a NIfTI"),
        (gzip.compress(nifti(FIVE, 1007))[:-20], "cut short|damaged"),
        (b"", "not a NIfTI"),
        (b"x" * 2000, "not a NIfTI"),
    ],
)
def test_files_that_are_no_field_are_refused_with_the_reason(format: FieldFormat, content: bytes, detail: str) -> None:
    with pytest.raises(FieldInvalidError, match=detail):
        field_from_bytes(content, format)


def test_fields_that_are_not_finite_are_refused() -> None:
    with pytest.raises(FieldInvalidError, match="630 of 630"):
        field_from_bytes(nifti(np.full_like(FIVE, np.nan), 1007))


def archive(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (field_to_bytes(FIELD), r"shape \(X, Y, Z, 3\), got \(5, 6, 7, 1, 3\)"),
        (archive(a=FIVE[:, :, :, 0], b=FIVE), "holds 2"),
        (archive(a=FIVE), "the fixed grid needs"),
        (archive(a=np.array([object()])), "not an archive of arrays"),
        (archive(a=FIVE[:, :, :, 0])[:-30], "not an archive of arrays"),
    ],
)
def test_learn2reg_files_that_are_none_are_refused(content: bytes, detail: str) -> None:
    with pytest.raises(FieldInvalidError, match=detail):
        field_from_bytes(content, FieldFormat.LEARN2REG, MOVING, FIXED)


def test_grids_that_learn2reg_needs_are_asked_for() -> None:
    with pytest.raises(OptionInvalidError, match="moving"):
        field_to_bytes(FIELD, FieldFormat.LEARN2REG)
    with pytest.raises(OptionInvalidError, match="moving"):
        field_from_bytes(b"", FieldFormat.LEARN2REG)
    with pytest.raises(OptionInvalidError, match="fixed"):
        field_from_bytes(archive(a=FIVE), FieldFormat.LEARN2REG, MOVING)


@pytest.mark.parametrize("name", ["field.mha", "field.npz", "field"])
def test_endings_that_do_not_fit_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionInvalidError):
        write_field(FIELD, tmp_path / name)


def test_itk_formats_refuse_a_sheared_grid() -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.2
    field = DisplacementField.identity(Geometry((3, 3, 3), affine))
    for format in (FieldFormat.ITK, FieldFormat.RAS):
        with pytest.raises(GeometryInvalidError, match="right angles"):
            field_to_bytes(field, format)
    assert field_from_bytes(field_to_bytes(field, FieldFormat.NIFTYREG), FieldFormat.NIFTYREG).geometry.matches(
        field.geometry
    )


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="nowhere"):
        read_field(tmp_path / "nowhere.nii.gz")
    with pytest.raises(FileUnreadableError, match="nowhere"):
        write_field(FIELD, tmp_path / "nowhere" / "field.nii.gz")
