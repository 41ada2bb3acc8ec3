"""What a file becomes when it is taken in: the same voxels under a bare header, and an id that only content decides."""

import gzip
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from eigenwarp.errors import (
    EigenwarpError,
    EmptyVolumeError,
    LabelsNotIntegerError,
    VolumeNotNiftiError,
    VolumeShapeError,
    VolumeTooLargeError,
    VoxelsNotFiniteError,
)
from eigenwarp.volume.canonical import Canonical, ContentKind, canonicalise
from eigenwarp.volume.nifti import ReadLimits, segmentation_from_bytes, volume_from_bytes

AFFINE = np.array([[-1.5, 0, 0, 10], [0, 2, 0, -20.25], [0, 0, 3, 7], [0, 0, 0, 1.0]])
SHAPE = (70, 80, 90)


def image(dtype: str = "int16", affine: np.ndarray = AFFINE, version: type = nib.Nifti1Image) -> nib.Nifti1Image:
    values = np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)
    made = version(values, affine)
    made.set_sform(affine, code=1)
    return made


def take(content: bytes, folder: Path, kind: ContentKind = "image", limits: ReadLimits | None = None) -> Canonical:
    (folder / "in").write_bytes(content)
    return canonicalise(folder / "in", folder / "out.nii.gz", kind, limits or ReadLimits())


@pytest.mark.parametrize("dtype", ["uint8", "int16", ">i2", "uint16", "int32", "float32", ">f4", "float64"])
def test_the_voxels_keep_their_values_and_their_type(tmp_path: Path, dtype: str) -> None:
    content = image(dtype).to_bytes()
    taken = take(content, tmp_path)
    stored = (tmp_path / "out.nii.gz").read_bytes()
    assert taken.bytes == len(stored)
    assert taken.dtype == np.dtype(dtype).newbyteorder("=").name
    before, after = volume_from_bytes(content), volume_from_bytes(stored)
    np.testing.assert_array_equal(after.data, before.data)
    assert after.geometry.matches(before.geometry, 0.0)
    assert nib.Nifti1Image.from_bytes(gzip.decompress(stored)).get_data_dtype() == np.dtype(dtype.strip(">"))


def test_the_type_the_byte_order_the_compression_and_the_nifti_version_do_not_change_the_id(tmp_path: Path) -> None:
    contents = [image(dtype).to_bytes() for dtype in ("uint8", "int16", ">i2", "float32", "float64")]
    contents.append(image(version=nib.Nifti2Image).to_bytes())
    contents.append(gzip.compress(contents[0]))
    assert len({take(content, tmp_path).id for content in contents}) == 1


def test_one_voxel_the_affine_and_the_kind_change_the_id(tmp_path: Path) -> None:
    whole = image("uint8")
    moved = AFFINE.copy()
    moved[0, 3] += 0.01
    other = image("uint8")
    np.asanyarray(other.dataobj)[3, 4, 5] += 1
    taken = [take(made.to_bytes(), tmp_path).id for made in (whole, image("uint8", moved), other)]
    taken.append(take(whole.to_bytes(), tmp_path, "segmentation").id)
    assert len(set(taken)) == 4


def test_what_is_downloaded_and_sent_again_has_the_same_id_and_the_same_bytes(tmp_path: Path) -> None:
    affine = AFFINE + np.array([[1 / 3, 0, 0, 1e-7]] + [[0, 0, 0, 1 / 3]] * 2 + [[0, 0, 0, 0]])
    made = image("int16", affine, nib.Nifti2Image)
    made.header.set_slope_inter(0.1, -7.3)
    first = take(made.to_bytes(), tmp_path)
    stored = (tmp_path / "out.nii.gz").read_bytes()
    assert take(stored, tmp_path).id == first.id
    assert (tmp_path / "out.nii.gz").read_bytes() == stored


def test_a_scaling_is_kept_exactly(tmp_path: Path) -> None:
    made = image("int16", version=nib.Nifti2Image)
    made.header.set_slope_inter(0.1, -7.3)
    take(made.to_bytes(), tmp_path)
    stored = (tmp_path / "out.nii.gz").read_bytes()
    np.testing.assert_array_equal(volume_from_bytes(stored).data, volume_from_bytes(made.to_bytes()).data)


def test_nothing_that_can_carry_a_name_is_left(tmp_path: Path) -> None:
    made = image()
    for name in ("descrip", "db_name", "aux_file", "intent_name"):
        made.header[name] = b"Doe^Jane"
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Doe^Jane 1970-01-01"))
    content = made.to_bytes() + b"Doe^Jane"
    assert content.count(b"Doe") == 6
    take(content, tmp_path)
    assert b"Doe" not in gzip.decompress((tmp_path / "out.nii.gz").read_bytes())


def test_a_segmentation_tells_its_labels(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, dtype=np.float32)
    labels[1, 2, 3], labels[4:, 5, 6] = 7, 300
    taken = take(nib.Nifti1Image(labels, AFFINE).to_bytes(), tmp_path, "segmentation")
    assert taken.labels == (7, 300)
    stored = segmentation_from_bytes((tmp_path / "out.nii.gz").read_bytes())
    np.testing.assert_array_equal(stored.data, labels)


def _with(value: float) -> bytes:
    values = np.zeros(SHAPE, dtype=np.float32)
    values[-1, -1, -1] = value
    values[0, 0, 0] = 1
    return nib.Nifti1Image(values, AFFINE).to_bytes()


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"", "image", VolumeNotNiftiError),
        (b"\x1f\x8b", "image", VolumeNotNiftiError),
        (b"PK\x03\x04 a zip file", "image", VolumeNotNiftiError),
        (gzip.compress(_with(2), mtime=0)[:-2000], "image", VolumeNotNiftiError),
        (gzip.compress(_with(2), mtime=0)[:-5] + b"12345", "image", VolumeNotNiftiError),
        (_with(2)[:-1], "image", VolumeNotNiftiError),
        (_with(np.nan), "image", VoxelsNotFiniteError),
        (_with(-np.inf), "image", VoxelsNotFiniteError),
        (_with(1.5), "segmentation", LabelsNotIntegerError),
        (_with(-1), "segmentation", LabelsNotIntegerError),
        (_with(np.nan), "segmentation", LabelsNotIntegerError),
        (nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE).to_bytes(), "image", EmptyVolumeError),
        (nib.Nifti1Image(np.ones((4, 4, 4, 2), np.uint8), AFFINE).to_bytes(), "image", VolumeShapeError),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, content: bytes, kind: ContentKind, error: type[EigenwarpError]
) -> None:
    with pytest.raises(error):
        take(content, tmp_path, kind)


def test_a_bomb_is_refused_before_it_has_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(_with(2) + bytes(1 << 24))
    with pytest.raises(VolumeNotNiftiError, match="follow the voxels"):
        take(bomb, tmp_path, limits=ReadLimits(extension_bytes=1 << 20))
    with pytest.raises(VolumeTooLargeError, match="unpack to more"):
        take(bomb, tmp_path, limits=ReadLimits(ratio=10, ratio_floor=1 << 16))


def test_memory_does_not_grow_with_the_volume(tmp_path: Path) -> None:
    """256 MiB of voxels pass through a process that may not have 192 MiB more than it started with."""
    shape = (512, 512, 512)
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.int16)
    header.set_sform(AFFINE, code=1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    with (tmp_path / "in").open("wb") as file:
        file.write(header.binaryblock + bytes(4))
        file.write(b"\1\0")
        file.truncate(352 + 2 * 512**3)
    program = (
        "import resource, sys; from pathlib import Path; from eigenwarp.volume.canonical import canonicalise\n"
        "used = int(Path('/proc/self/statm').read_text().split()[5]) * 4096\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (used + (192 << 20),) * 2)\n"
        "print(canonicalise(Path(sys.argv[1]), Path(sys.argv[2]), 'image').id)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "in"), str(tmp_path / "out.nii.gz")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("sha256:")
