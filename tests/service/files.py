"""Files to upload, good and bad, and what a refused one must not leave."""

import gzip

import nibabel as nib
import numpy as np
import numpy.typing as npt

from eigenwarp.settings import Settings
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from service.resources import Resources
from tests.tiny_bundle import blob


def image(seed: int = 1) -> bytes:
    """A subject of 16³ voxels, gzipped."""
    return volume_to_bytes(blob(seed)[0])


def labels(seed: int = 1) -> bytes:
    """Its segmentation."""
    return segmentation_to_bytes(blob(seed)[1])


def nifti(values: npt.NDArray[np.generic], shift: float = 0.0, compressed: bool = True) -> bytes:
    """Any array under an affine of 1 mm."""
    affine = np.eye(4)
    affine[0, 3] = shift
    content = nib.Nifti1Image(values, affine).to_bytes()
    return gzip.compress(content) if compressed else content


def wide_header() -> bytes:
    """A file of a few hundred bytes whose header promises a million voxels along an axis, as NIfTI-2 can."""
    header = nib.Nifti2Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((10**6, 10**6, 10))
    header["magic"], header["vox_offset"] = header.single_magic, 544
    header.set_sform(np.eye(4), code=1)
    return bytes(header.binaryblock) + bytes(400)


def bomb() -> bytes:
    """A volume whose voxels are followed by 256 MiB of nothing, in a quarter of a megabyte."""
    noise = np.random.default_rng(0).integers(0, 255, (8, 8, 8), dtype=np.uint8)
    return gzip.compress(nifti(noise, compressed=False) + bytes(256 << 20), 9)


def left_behind(resources: Resources, settings: Settings) -> list[str]:
    """Every object in the store, and every file in the spool."""
    spooled = [path.name for path in settings.spool_folder.rglob("*") if path.is_file() and path.name != "lock"]
    spooled += [path.name for path in resources.spool.iterdir() if path.is_dir()]
    return (
        spooled
        + [found.key for found in resources.objects.list("volumes/")]
        + [found.key for found in resources.objects.list("uploads/")]
    )
