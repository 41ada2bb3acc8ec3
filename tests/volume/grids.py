"""Random grids and hand-made NIfTI files for the tests."""

import itertools
import struct

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from eigenwarp.volume import Geometry, Shape

SIGNED_PERMUTATIONS = tuple(
    np.eye(3)[:, axes] * signs
    for axes in map(list, itertools.permutations(range(3)))
    for signs in itertools.product((-1, 1), repeat=3)
)
ORIENTATIONS = tuple(
    "".join(codes)
    for axes in itertools.permutations(("LR", "PA", "IS"))
    for codes in itertools.product(*axes)
)  # fmt: skip


@st.composite
def geometries(
    draw: st.DrawFn, *, smallest: int = 1, largest: int = 9, max_tilt: float = 180.0, spacing: float | None = None
) -> Geometry:
    """Any of the 48 orientations, tilted by any angle up to ``max_tilt`` degrees, spacings 0.2 to 7 mm, off centre."""
    x, y, z = (draw(st.integers(smallest, largest)) for _ in range(3))
    sizes = [spacing or draw(st.floats(0.2, 7.0)) for _ in range(3)]
    axis = np.array([draw(st.floats(-1, 1)) for _ in range(3)])
    axis = axis / np.linalg.norm(axis) if np.linalg.norm(axis) > 1e-3 else np.array([0.0, 0.0, 1.0])
    tilt = Rotation.from_rotvec(axis * draw(st.floats(0, max_tilt)), degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = tilt @ draw(st.sampled_from(SIGNED_PERMUTATIONS)) * sizes
    affine[:3, 3] = [draw(st.floats(-300, 300)) for _ in range(3)]
    return Geometry((x, y, z), affine)


def noise(shape: Shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 30, shape).astype(np.float32)


def smooth_blob(geometry: Geometry, centre: np.ndarray, width: float) -> np.ndarray:
    """A Gaussian of world coordinates, so that its values tell where in the world a voxel lies."""
    distance = np.linalg.norm(geometry.to_world(geometry.voxel_grid()) - centre, axis=-1)
    return np.exp(-((distance / width) ** 2) / 2).astype(np.float32)


def nifti1(
    voxels: bytes = b"",
    *,
    dim: tuple[int, ...] = (3, 2, 3, 4, 1, 1, 1, 1),
    datatype: int = 16,
    pixdim: tuple[float, ...] = (1, 1, 1, 1, 0, 0, 0, 0),
    vox_offset: float = 352,
    slope: float = 0,
    intercept: float = 0,
    units: int = 2,
    qform: tuple[int, tuple[float, ...]] = (0, (0, 0, 0, 0, 0, 0)),
    sform: tuple[int, tuple[float, ...]] = (1, (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)),
    magic: bytes = b"n+1\0",
    extension: bytes = b"\0\0\0\0",
    descrip: bytes = b"",
    order: str = "<",
) -> bytes:
    """A NIfTI-1 file field by field after the standard's C struct, with no library in between."""
    header = struct.pack(order + "i35sB", 348, b"", 0)
    header += struct.pack(order + "8h", *dim)
    header += struct.pack(order + "3fhhhh", 0, 0, 0, 0, datatype, 0, 0)
    header += struct.pack(order + "8f", *pixdim)
    header += struct.pack(order + "fffhBB", vox_offset, slope, intercept, 0, 0, units)
    header += struct.pack(order + "4f2i", 0, 0, 0, 0, 0, 0)
    header += struct.pack(order + "80s24s", descrip, descrip[:24])
    header += struct.pack(order + "hh", qform[0], sform[0])
    header += struct.pack(order + "6f", *qform[1]) + struct.pack(order + "12f", *sform[1])
    header += struct.pack(order + "16s4s", descrip[:16], magic)
    return header + extension + voxels


VOXELS = np.arange(24, dtype="<f4").tobytes()
