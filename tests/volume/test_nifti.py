import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eigenwarp.errors import FileUnreadableError, OptionInvalidError, VolumeNotNiftiError
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import (
    read_segmentation,
    read_volume,
    segmentation_from_bytes,
    segmentation_to_bytes,
    volume_from_bytes,
    volume_to_bytes,
    write_segmentation,
    write_volume,
)
from tests.volume.grids import VOXELS, geometries, nifti1, noise

# NIfTI-1 keeps the affine as float32.
STORED_MM = 1e-3


@given(geometries(), st.booleans())
def test_a_volume_survives_the_round_trip(geometry: Geometry, compressed: bool) -> None:
    volume = Volume(noise(geometry.shape), geometry)
    read = volume_from_bytes(volume_to_bytes(volume, compressed))
    assert np.array_equal(read.data, volume.data)
    assert read.geometry.matches(geometry, STORED_MM)
    assert read.data.flags.c_contiguous


@given(geometries(), st.sampled_from([255, 256, 65535]))
def test_a_segmentation_survives_the_round_trip(geometry: Geometry, largest: int) -> None:
    labels = np.random.default_rng(0).integers(0, largest + 1, geometry.shape).astype(np.uint16)
    labels.flat[0] = largest
    read = segmentation_from_bytes(segmentation_to_bytes(Segmentation(labels, geometry)))
    assert np.array_equal(read.data, labels)
    assert read.geometry.matches(geometry, STORED_MM)


@given(geometries())
def test_what_is_written_says_the_same_to_nibabel_by_sform_and_by_qform(geometry: Geometry) -> None:
    image = nib.Nifti1Image.from_bytes(volume_to_bytes(Volume(noise(geometry.shape), geometry), compressed=False))
    sform, sform_code = image.get_sform(coded=True)
    qform, qform_code = image.get_qform(coded=True)
    assert (sform_code, qform_code) == (1, 1)
    assert sform == pytest.approx(geometry.affine, abs=STORED_MM)
    # A quaternion of float32 loses half its digits near half turns.
    assert Geometry(geometry.shape, qform).matches(geometry, 0.1)
    assert image.header.get_xyzt_units()[0] == "mm"


@given(geometries(), st.booleans(), st.sampled_from("<>"), st.sampled_from([nib.Nifti1Image, nib.Nifti2Image]))
def test_reads_what_nibabel_writes_by_qform_alone(geometry: Geometry, with_sform: bool, order: str, kind: type) -> None:
    data = noise(geometry.shape)
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.float32)
    image = kind(data, geometry.affine, header)
    image.set_qform(geometry.affine, code=1)
    image.set_sform(geometry.affine if with_sform else None, code=2 if with_sform else 0)
    read = volume_from_bytes(image.to_bytes())
    assert np.array_equal(read.data, data)
    assert read.geometry.affine == pytest.approx(kind.from_bytes(image.to_bytes()).affine, abs=1e-4)
    assert read.geometry.matches(geometry, STORED_MM if with_sform else 0.1)


def test_the_sform_comes_before_the_qform() -> None:
    sform = (2, (2, 0, 0, 5, 0, 2, 0, 6, 0, 0, 2, 7))
    content = nifti1(VOXELS, qform=(1, (0, 0, 0, 1, 2, 3)), sform=sform)
    assert volume_from_bytes(content).geometry.to_world((1, 1, 1)) == pytest.approx((7, 8, 9))


def test_the_qform_is_read_with_handedness_and_spacing() -> None:
    content = nifti1(VOXELS, sform=(0, (0,) * 12), qform=(1, (0, 0, 1, 10, 20, 30)), pixdim=(-1, 2, 3, 4, 0, 0, 0, 0))
    expected = [[-2, 0, 0, 10], [0, -3, 0, 20], [0, 0, -4, 30], [0, 0, 0, 1]]
    assert volume_from_bytes(content).geometry.affine == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize(("units", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (2 + 8, 1)])
def test_units_are_brought_to_millimetres(units: int, factor: float) -> None:
    affine = (2 / factor, 0, 0, 5 / factor, 0, 3 / factor, 0, 6 / factor, 0, 0, 4 / factor, 7 / factor)
    geometry = volume_from_bytes(nifti1(VOXELS, sform=(1, affine), units=units)).geometry
    assert geometry.spacing == pytest.approx((2, 3, 4), rel=1e-6)
    assert geometry.to_world((0, 0, 0)) == pytest.approx((5, 6, 7), rel=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [(2, "u1"), (4, "i2"), (8, "i4"), (16, "f4"), (64, "f8"), (256, "i1"), (512, "u2"), (768, "u4"), (1024, "i8"),
     (1280, "u8")],
)  # fmt: skip
def test_every_scalar_type_is_read_in_both_byte_orders(code: int, kind: str, order: str) -> None:
    stored = np.arange(24).astype(order + kind)
    expected = np.arange(24).reshape((2, 3, 4), order="F")
    content = nifti1(stored.tobytes(), datatype=code, order=order)
    assert np.array_equal(volume_from_bytes(content).data, expected)
    assert np.array_equal(segmentation_from_bytes(content).data, expected)


@pytest.mark.parametrize("slope", [0, float("nan"), 1])
def test_no_slope_leaves_intensities_alone(slope: float) -> None:
    intercept = 0 if slope == 1 else 9
    assert volume_from_bytes(nifti1(VOXELS, slope=slope, intercept=intercept)).data.max() == 23


def test_slope_and_intercept_are_applied() -> None:
    stored = np.arange(24, dtype="<i2").tobytes()
    read = volume_from_bytes(nifti1(stored, datatype=4, slope=0.5, intercept=-3))
    assert read.data.ravel(order="F") == pytest.approx(np.arange(24) * 0.5 - 3)


def test_scaled_labels_are_whole_again() -> None:
    stored = (np.arange(24) * 10).astype("<i2").tobytes()
    read = segmentation_from_bytes(nifti1(stored, datatype=4, slope=0.1))
    assert np.array_equal(read.data.ravel(order="F"), np.arange(24))


@pytest.mark.parametrize("dim", [(4, 2, 3, 4, 1, 1, 1, 1), (7, 2, 3, 4, 1, 1, 1, 1)])
def test_trailing_axes_of_one_are_dropped(dim: tuple[int, ...]) -> None:
    assert volume_from_bytes(nifti1(VOXELS, dim=dim)).shape == (2, 3, 4)


def test_extensions_are_skipped_and_no_name_is_written_again() -> None:
    name = b"DOE^JANE"
    extension = b"\1\0\0\0" + (32).to_bytes(4, "little") + (6).to_bytes(4, "little") + name.ljust(24)
    content = nifti1(VOXELS, vox_offset=384, extension=extension, descrip=name)
    read = volume_from_bytes(content)
    assert content.count(name) == 4
    assert np.array_equal(read.data.ravel(order="F"), np.arange(24))
    for written in (
        volume_to_bytes(read, compressed=False),
        segmentation_to_bytes(segmentation_from_bytes(content), compressed=False),
    ):
        assert name not in written
        header = nib.Nifti1Image.from_bytes(written).header
        assert not header.extensions
        for field in ("descrip", "db_name", "aux_file", "intent_name"):
            assert header[field].item() == b""


def test_a_sheared_grid_is_written_by_its_sform_alone() -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.2
    content = volume_to_bytes(Volume(noise((2, 3, 4)), Geometry((2, 3, 4), affine)), compressed=False)
    header = nib.Nifti1Image.from_bytes(content).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    assert header.get_sform() == pytest.approx(affine)


def test_an_axis_too_long_for_nifti1_is_written_as_nifti2() -> None:
    geometry = Geometry.from_spacing((1, 1, 40000))
    content = volume_to_bytes(Volume(noise(geometry.shape), geometry), compressed=False)
    assert content[:4] == (540).to_bytes(4, "little")
    assert volume_from_bytes(content).shape == (1, 1, 40000)


def test_the_same_volume_gives_the_same_bytes() -> None:
    volume = Volume(noise((4, 5, 6)), Geometry.from_spacing((4, 5, 6)))
    assert volume_to_bytes(volume) == volume_to_bytes(volume)


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz"])
def test_files_are_compressed_by_their_ending_and_read_by_their_content(tmp_path: Path, name: str) -> None:
    geometry = Geometry.from_spacing((4, 5, 6))
    volume = Volume(noise((4, 5, 6)), geometry)
    segmentation = Segmentation(np.ones((4, 5, 6), np.uint16), geometry)
    write_volume(volume, tmp_path / name)
    write_segmentation(segmentation, tmp_path / f"labels-{name}")
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b"\x5c\x01")
    (tmp_path / "unnamed").write_bytes((tmp_path / name).read_bytes())
    assert np.array_equal(read_volume(tmp_path / "unnamed").data, volume.data)
    assert read_segmentation(tmp_path / f"labels-{name}").labels == (1,)


def test_gzip_members_in_a_row_are_one_file() -> None:
    content = nifti1(VOXELS)
    blocks = gzip.compress(content[:100]) + gzip.compress(content[100:400]) + gzip.compress(content[400:])
    assert volume_from_bytes(blocks + b"\0" * 512).data.max() == 23


def test_errors_of_files_name_the_path(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match=r"absent\.nii: No such file"):
        read_volume(tmp_path / "absent.nii")
    with pytest.raises(FileUnreadableError, match="Is a directory"):
        read_segmentation(tmp_path)
    (tmp_path / "text.nii").write_text("no image")
    with pytest.raises(VolumeNotNiftiError, match=r"text\.nii: not a NIfTI file"):
        read_volume(tmp_path / "text.nii")
    volume = Volume(noise((2, 3, 4)), Geometry.from_spacing((2, 3, 4)))
    with pytest.raises(OptionInvalidError, match=r"image\.png"):
        write_volume(volume, tmp_path / "image.png")
    with pytest.raises(FileUnreadableError, match="absent"):
        write_volume(volume, tmp_path / "absent" / "image.nii")


def test_paths_may_be_text(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((3, 4, 5))
    name = str(tmp_path / "volume.nii.gz")
    write_volume(Volume(noise(geometry.shape), geometry), name)
    assert np.array_equal(read_volume(name).data, noise(geometry.shape))
