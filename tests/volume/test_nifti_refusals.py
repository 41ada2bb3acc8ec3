"""Each unusable file is refused with the class and the name of what is wrong."""

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.errors import (
    EigenwarpError,
    EmptyVolumeError,
    GeometryInvalidError,
    LabelsNotIntegerError,
    VolumeNotNiftiError,
    VolumeShapeError,
    VolumeTooLargeError,
    VoxelsNotFiniteError,
)
from eigenwarp.volume.nifti import ReadLimits, read_volume, segmentation_from_bytes, volume_from_bytes
from tests.volume.grids import VOXELS, nifti1

NAN, INF = float("nan"), float("inf")
BY_QFORM = {"sform": (0, (0,) * 12)}
IDENTITY = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)

REFUSED = [
    # not NIfTI
    (b"", VolumeNotNiftiError, "nothing"),
    (b"\x89PNG\r\n", VolumeNotNiftiError, "89 50 4e 47"),
    (nifti1(VOXELS)[:200], VolumeNotNiftiError, "200 bytes are too few"),
    (nifti1(VOXELS)[:-1], VolumeNotNiftiError, "cut short: 95 bytes"),
    (nifti1(VOXELS, magic=b"ni1\0"), VolumeNotNiftiError, "two-file"),
    (nifti1(VOXELS, magic=b"\0\0\0\0"), VolumeNotNiftiError, "magic"),
    (nifti1(VOXELS, datatype=77), VolumeNotNiftiError, "datatype 77"),
    (nifti1(VOXELS, datatype=0), VolumeNotNiftiError, "datatype 0"),
    (nifti1(VOXELS, dim=(8, 2, 3, 4, 1, 1, 1, 1)), VolumeNotNiftiError, "8 axes"),
    (nifti1(VOXELS, dim=(-3, 2, 3, 4, 1, 1, 1, 1)), VolumeNotNiftiError, "-3 axes"),
    (nifti1(VOXELS, vox_offset=NAN), VolumeNotNiftiError, "offset is nan"),
    (nifti1(VOXELS, vox_offset=-352), VolumeNotNiftiError, "offset is -352"),
    (nifti1(VOXELS, vox_offset=100), VolumeNotNiftiError, "offset is 100"),
    (nifti1(VOXELS, vox_offset=352.5), VolumeNotNiftiError, "offset is 352.5"),
    (nifti1(VOXELS, vox_offset=4000), VolumeNotNiftiError, "cut short: 0 bytes"),
    # not three scalar axes
    (nifti1(VOXELS, dim=(4, 2, 3, 2, 2, 1, 1, 1)), VolumeShapeError, r"\(2, 3, 2, 2\)"),
    (nifti1(VOXELS, dim=(5, 2, 2, 2, 1, 3, 1, 1)), VolumeShapeError, r"\(2, 2, 2, 1, 3\)"),
    (nifti1(VOXELS, dim=(2, 6, 4, 1, 1, 1, 1, 1)), VolumeShapeError, r"\(6, 4\)"),
    (nifti1(VOXELS, datatype=1), VolumeShapeError, "single bits"),
    (nifti1(VOXELS, datatype=128), VolumeShapeError, "RGB"),
    (nifti1(VOXELS, datatype=2304), VolumeShapeError, "RGBA"),
    (nifti1(VOXELS, datatype=32), VolumeShapeError, "complex"),
    (nifti1(VOXELS, datatype=1792), VolumeShapeError, "complex"),
    (nifti1(VOXELS, datatype=2048), VolumeShapeError, "complex"),
    (nifti1(VOXELS, datatype=1536), VolumeShapeError, "128-bit"),
    # empty
    (nifti1(VOXELS, dim=(0, 2, 3, 4, 1, 1, 1, 1)), EmptyVolumeError, "at least one voxel"),
    (nifti1(VOXELS, dim=(3, 2, 0, 4, 1, 1, 1, 1)), EmptyVolumeError, r"\(2, 0, 4\)"),
    (nifti1(VOXELS, dim=(3, 2, -3, 4, 1, 1, 1, 1)), EmptyVolumeError, r"\(2, -3, 4\)"),
    (nifti1(VOXELS, dim=(4, 2, 3, 4, 0, 1, 1, 1)), EmptyVolumeError, r"\(2, 3, 4, 0\)"),
    # oversized
    (nifti1(VOXELS, dim=(3, 32767, 32767, 32767, 1, 1, 1, 1)), VolumeTooLargeError, "32767×32767×32767"),
    (nifti1(VOXELS, vox_offset=1e9), VolumeTooLargeError, "byte 1000000000"),
    # geometry
    (nifti1(VOXELS, sform=(0, IDENTITY)), GeometryInvalidError, "neither sform nor qform"),
    (nifti1(VOXELS, sform=(1, (0,) * 12)), GeometryInvalidError, "spacing"),
    (nifti1(VOXELS, sform=(1, (NAN, *IDENTITY[1:]))), GeometryInvalidError, "not finite"),
    (nifti1(VOXELS, sform=(1, (*IDENTITY[:3], INF, *IDENTITY[4:]))), GeometryInvalidError, "not finite"),
    (nifti1(VOXELS, sform=(1, (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0))), GeometryInvalidError, "singular|spacing"),
    (nifti1(VOXELS, sform=(1, (1, 0.1, *IDENTITY[2:]))), GeometryInvalidError, "sheared: two axes are 5.71 degrees"),
    (nifti1(VOXELS, units=5), GeometryInvalidError, "unit 5"),
    (nifti1(VOXELS, units=1, sform=(1, (5, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0))), GeometryInvalidError, "spacing"),
    (nifti1(VOXELS, **BY_QFORM, qform=(1, (NAN, 0, 0, 0, 0, 0))), GeometryInvalidError, "qform is not finite"),
    (nifti1(VOXELS, **BY_QFORM, qform=(1, (0, 0, 0, INF, 0, 0))), GeometryInvalidError, "qform is not finite"),
    (nifti1(VOXELS, **BY_QFORM, qform=(1, (1, 1, 0, 0, 0, 0))), GeometryInvalidError, "length 1.41"),
    (
        nifti1(VOXELS, **BY_QFORM, qform=(1, (0,) * 6), pixdim=(1, 0, 1, 1, 0, 0, 0, 0)),
        GeometryInvalidError,
        "positive",
    ),
    (nifti1(VOXELS, **BY_QFORM, qform=(1, (0,) * 6), pixdim=(1, 1, -2, 1, 0, 0, 0, 0)), GeometryInvalidError, "-2"),
    # intensities
    (nifti1(np.array([NAN, INF, *range(22)], "<f4").tobytes()), VoxelsNotFiniteError, "2 of 24"),
    (nifti1(np.full(24, 1e300).tobytes(), datatype=64), VoxelsNotFiniteError, "24 of 24"),
    (nifti1(VOXELS, slope=INF), VoxelsNotFiniteError, "inf"),
    (nifti1(VOXELS, slope=2, intercept=NAN), VoxelsNotFiniteError, "nan"),
    (nifti1(VOXELS, slope=3e38, intercept=3e38), VoxelsNotFiniteError, "of 24"),
]


@pytest.mark.parametrize(("content", "kind", "named"), REFUSED)
@pytest.mark.parametrize("compressed", [False, True])
def test_refuses_with_the_name_of_what_is_wrong(
    content: bytes, kind: type[EigenwarpError], named: str, compressed: bool
) -> None:
    with pytest.raises(kind, match=named) as caught:
        volume_from_bytes(gzip.compress(content) if compressed else content)
    assert type(caught.value) is kind


@pytest.mark.parametrize("value", [0.5, -1.0, 65536.0, NAN, INF, 1e300])
def test_refuses_labels_that_are_none(value: float) -> None:
    content = nifti1(np.array([value, *range(23)]).tobytes(), datatype=64)
    with pytest.raises(LabelsNotIntegerError, match=f"got {value:g}".replace("+", r"\+")):
        segmentation_from_bytes(content)


def test_refuses_labels_beyond_the_range_of_any_integer_type() -> None:
    with pytest.raises(LabelsNotIntegerError, match="-128"):
        segmentation_from_bytes(nifti1(np.full(24, -128, np.int8).tobytes(), datatype=256))
    with pytest.raises(LabelsNotIntegerError, match=r"1\.84467e"):
        segmentation_from_bytes(nifti1(np.full(24, 2**64 - 1, np.uint64).tobytes(), datatype=1280))


@pytest.mark.parametrize("length", [1, 12, 100, -9, -4])
def test_refuses_gzip_data_cut_short(length: int) -> None:
    with pytest.raises(VolumeNotNiftiError, match=r"cut short|starts with"):
        volume_from_bytes(gzip.compress(nifti1(VOXELS))[:length])


def test_refuses_gzip_data_with_a_wrong_checksum() -> None:
    content = bytearray(gzip.compress(nifti1(VOXELS)))
    content[-6] ^= 1
    with pytest.raises(VolumeNotNiftiError, match="damaged gzip"):
        volume_from_bytes(bytes(content))


def test_refuses_more_than_the_limits_allow(tmp_path: Path) -> None:
    content = nifti1(VOXELS)
    with pytest.raises(VolumeTooLargeError, match="24 voxels, the limit is 23"):
        volume_from_bytes(content, ReadLimits(voxels=23))
    with pytest.raises(VolumeTooLargeError, match="448 bytes, the limit is 447"):
        volume_from_bytes(content, ReadLimits(file_bytes=447))
    (tmp_path / "image.nii").write_bytes(content)
    with pytest.raises(VolumeTooLargeError, match="limit of 447 bytes"):
        read_volume(tmp_path / "image.nii", ReadLimits(file_bytes=447))
    assert read_volume(tmp_path / "image.nii", ReadLimits(voxels=24, file_bytes=448)).shape == (2, 3, 4)


def test_a_header_that_promises_gigabytes_takes_no_memory() -> None:
    promise = nifti1(VOXELS, dim=(3, 512, 512, 512, 1, 1, 1, 1), datatype=64)
    tracemalloc.start()
    for content in (promise, gzip.compress(promise)):
        with pytest.raises(VolumeNotNiftiError, match="cut short"):
            volume_from_bytes(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_unpacking_stops_at_the_ratio() -> None:
    bomb = gzip.compress(nifti1(dim=(3, 256, 256, 16, 1, 1, 1, 1)) + bytes(4 * 2**20))
    with pytest.raises(VolumeTooLargeError, match="unpack to more than"):
        volume_from_bytes(bomb, ReadLimits(ratio=100, ratio_floor=2**20))
    assert volume_from_bytes(bomb).shape == (256, 256, 16)


def test_unpacking_stops_after_the_voxels() -> None:
    bomb = gzip.compress(nifti1(VOXELS) + bytes(32 * 2**20))
    with pytest.raises(VolumeNotNiftiError, match="follow the voxels"):
        volume_from_bytes(bomb)


def test_a_stream_of_empty_gzip_members_is_refused() -> None:
    with pytest.raises(VolumeTooLargeError, match="gzip members"):
        volume_from_bytes(gzip.compress(b"") * 70_000)
