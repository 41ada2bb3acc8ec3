"""A NIfTI file taken in: checked to the last voxel, named by its content, written anew without what can carry a name.

Nothing of the file is kept but shape, affine, voxel type, scaling and voxels. It is read and written in blocks, so
memory does not grow with the volume.
"""

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt
from isal import isal_zlib
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from eigenwarp.errors import EmptyVolumeError, VolumeNotNiftiError, VolumeTooLargeError, VoxelsNotFiniteError
from eigenwarp.volume.geometry import Geometry
from eigenwarp.volume.gunzip import GZIP_MAGIC, Gunzip
from eigenwarp.volume.nifti import DEFAULT_LIMITS, ReadLimits, checked_header, scaled, whole
from eigenwarp.volume.nifti_header import HEADER_BYTES_MAX, NIFTI1_AXIS_LIMIT, NiftiHeader
from eigenwarp.volume.volume import LABEL_LIMIT

ContentKind = Literal["image", "segmentation"]

_BLOCK_VOXELS: Final = 1 << 18
_COMPRESSION_LEVEL: Final = 1
_GZIP_WINDOW: Final = 31
_NO_EXTENSIONS: Final = bytes(4)
_DOMAIN: Final = b"eigenwarp volume 1\n"


@dataclass(frozen=True, eq=False)
class Canonical:
    """What is known of a volume that was taken in.

    Args:
        id: ``sha256:…`` of kind, shape, affine and values (float32 intensities or uint16 labels, as they are read); the
            voxel type and the compression that they came in do not count.
        geometry: the grid; the affine as float32 holds it.
        dtype: NumPy's name of the stored voxels' type.
        labels: of a segmentation, background left out, ascending; None for an image.
        bytes: length of the file written.
    """

    id: str
    geometry: Geometry
    dtype: str
    labels: tuple[int, ...] | None
    bytes: int


def canonicalise(source: Path, target: Path, kind: ContentKind, limits: ReadLimits = DEFAULT_LIMITS) -> Canonical:
    """Check a NIfTI file, gzipped or not, and write ``target`` (.nii.gz) with the same voxels under a bare header.

    Raises:
        EmptyVolumeError: also for an image of one intensity.
        EigenwarpError: as ``volume_from_bytes`` and ``segmentation_from_bytes``.
        OSError: a file cannot be read or written.
    """
    with _opened(source, limits) as stream:
        start = stream.read(HEADER_BYTES_MAX)
        found = checked_header(start, limits)
        taken = _Taken(kind, found)
        packer = isal_zlib.compressobj(_COMPRESSION_LEVEL, wbits=_GZIP_WINDOW)
        with target.open("wb") as file:
            file.write(packer.compress(_bare_header(found).binaryblock + _NO_EXTENSIONS))
            for block in _voxels(stream, start, found):
                taken.add(block)
                file.write(packer.compress(block.astype(block.dtype.newbyteorder("<"), copy=False).tobytes()))
            file.write(packer.flush())
        stream.require_end(limits.extension_bytes)
    return taken.result(target.stat().st_size)


class _Stream(Protocol):
    """A file's unpacked bytes, forwards."""

    def read(self, count: int) -> bytes: ...

    def require_end(self, slack: int) -> None: ...


class _Plain:
    """An uncompressed file."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content

    def read(self, count: int) -> bytes:
        return self._content.read(count)

    def require_end(self, slack: int) -> None:
        """What follows the voxels is not kept, whatever it is."""


class _Taken:
    """What adds up over the blocks of voxels."""

    def __init__(self, kind: ContentKind, header: NiftiHeader) -> None:
        self._kind, self._header = kind, header
        self._geometry = _as_stored(header.geometry)
        self._digest = hashlib.sha256(_DOMAIN + kind.encode() + b"\n")
        self._digest.update(np.array(self._geometry.shape, dtype="<i8").tobytes())
        self._digest.update(self._geometry.affine.astype("<f8").tobytes())
        self._labels = np.zeros(LABEL_LIMIT + 1, dtype=bool)
        self._low, self._high, self._bad = np.inf, -np.inf, 0

    def add(self, block: npt.NDArray[np.generic]) -> None:
        """The next voxels, flat, as they are stored."""
        if self._kind == "segmentation":
            labels = whole(block, self._header)
            self._labels[labels] = True
            self._digest.update(labels.astype("<u2", copy=False).tobytes())
            return
        with np.errstate(over="ignore", invalid="ignore"):
            values = scaled(block, self._header).astype("<f4")
        finite = np.isfinite(values)
        self._bad += values.size - int(finite.sum())
        if self._bad == 0:
            self._low, self._high = min(self._low, float(values.min())), max(self._high, float(values.max()))
            # Adding zero makes -0 and 0 the one value that they are.
            self._digest.update((values + np.float32(0)).tobytes())

    def result(self, length: int) -> Canonical:
        if self._bad:
            raise VoxelsNotFiniteError(f"{self._bad} of {self._header.voxels} voxels are NaN or infinite")
        if self._kind == "image" and self._low == self._high:
            raise EmptyVolumeError(f"every voxel has the value {self._low:g}: there is nothing to register")
        labels = tuple(int(label) for label in np.flatnonzero(self._labels) if label != 0)
        return Canonical(
            id=f"sha256:{self._digest.hexdigest()}",
            geometry=self._geometry,
            dtype=self._header.dtype.name,
            labels=labels if self._kind == "segmentation" else None,
            bytes=length,
        )


@contextmanager
def _opened(source: Path, limits: ReadLimits) -> Iterator[_Stream]:
    length = source.stat().st_size
    if length == 0:
        raise VolumeNotNiftiError("not a NIfTI file: it is empty")
    if length > limits.file_bytes:
        raise VolumeTooLargeError(f"{length} bytes, the limit is {limits.file_bytes}")
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:2] != GZIP_MAGIC:
            yield _Plain(content)
            return
        stream = Gunzip(memoryview(content), max_ratio=limits.ratio, ratio_floor=limits.ratio_floor)
        try:
            yield stream
        finally:
            stream.close()


def _voxels(stream: _Stream, start: bytes, header: NiftiHeader) -> Iterator[npt.NDArray[np.generic]]:
    size = header.dtype.itemsize
    ahead = start[header.offset :]
    skip = header.offset - len(start)
    while skip > 0:
        skipped = len(stream.read(min(skip, _BLOCK_VOXELS)))
        if not skipped:
            raise VolumeNotNiftiError(f"cut short before the voxels, which start at byte {header.offset}")
        skip -= skipped
    left = header.voxels
    while left:
        wanted = min(left, _BLOCK_VOXELS)
        block = ahead[: wanted * size]
        ahead = ahead[wanted * size :]
        block += stream.read(wanted * size - len(block))
        if len(block) < wanted * size:
            available = (header.voxels - left) * size + len(block)
            raise VolumeNotNiftiError(
                f"cut short: {available} bytes of voxels, shape {header.geometry.shape}"
                f" of {header.dtype.name} needs {header.voxels * size}"
            )
        yield np.frombuffer(block, dtype=header.dtype)
        left -= wanted


def _as_stored(geometry: Geometry) -> Geometry:
    """With the affine that the header will hold, so that a file that is downloaded and sent again has the same id."""
    return Geometry(geometry.shape, geometry.affine.astype(np.float32).astype(np.float64) + 0.0)


def _bare_header(found: NiftiHeader) -> Nifti1Header:
    geometry = _as_stored(found.geometry)
    # NIfTI-1 holds neither long axes nor a scaling in float64.
    exact = all(float(np.float32(value)) == value for value in (found.slope, found.intercept))
    small = max(geometry.shape) <= NIFTI1_AXIS_LIMIT
    header: Nifti1Header = (Nifti1Header if small and exact else Nifti2Header)(endianness="<")  # type: ignore[no-untyped-call]
    header.set_data_dtype(found.dtype.newbyteorder("<"))
    header.set_data_shape(geometry.shape)
    header.set_zooms(geometry.spacing)
    header.set_sform(geometry.affine, code=1)
    header.set_qform(geometry.affine if geometry.has_right_angles else None, code=int(geometry.has_right_angles))
    header.set_xyzt_units(xyz="mm")
    header["vox_offset"] = header["sizeof_hdr"] + 4
    header["magic"] = header.single_magic
    header["scl_slope"], header["scl_inter"] = found.slope, found.intercept
    return header
