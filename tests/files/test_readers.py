"""The programs that read our field files resample the original moving image as we do."""

import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import map_coordinates

from eigenwarp.field import DisplacementField, warp_points, warp_segmentation, warp_volume
from eigenwarp.field.interpolation import inside
from eigenwarp.files import FieldFormat, write_field
from eigenwarp.files.learn2reg import voxel_displacement
from eigenwarp.volume import Geometry
from tests.field.pairs import Pair, random_pair

SEEDS = range(4)


@pytest.fixture(params=SEEDS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return random_pair(request.param)


def save(data: npt.NDArray[np.generic], geometry: Geometry, path: Path) -> str:
    image = nib.Nifti1Image(data, geometry.affine)
    image.set_sform(geometry.affine, code=1)
    image.set_qform(geometry.affine, code=1)
    nib.save(image, path)
    return str(path)


def save_pair(pair: Pair, folder: Path) -> tuple[str, str, str]:
    """Paths of the moving image, its labels, and an empty fixed image."""
    return (
        save(pair.moving.data, pair.moving.geometry, folder / "moving.nii.gz"),
        save(pair.moving_labels.data, pair.moving.geometry, folder / "labels.nii.gz"),
        save(np.zeros(pair.fixed.shape, np.float32), pair.fixed, folder / "fixed.nii.gz"),
    )


def away_from_borders(pair: Pair) -> npt.NDArray[np.bool_]:
    """Two voxels from the fixed grid's border, and half a voxel within the moving image."""
    inner = np.zeros(pair.fixed.shape, dtype=np.bool_)
    inner[2:-2, 2:-2, 2:-2] = True
    landed = pair.field.voxels_on(pair.moving.geometry)
    x, y, z = pair.moving.shape
    return inner & inside(landed - 0.5, (x - 1, y - 1, z - 1)).reshape(pair.fixed.shape)


def require_agreement(pair: Pair, intensities: npt.ArrayLike, labels: npt.ArrayLike) -> None:
    mask = away_from_borders(pair)
    assert mask.sum() > 3000
    ours = warp_volume(pair.moving, pair.field).data
    assert np.abs(ours - np.asarray(intensities))[mask].max() < 1e-3 * np.ptp(pair.moving.data)
    our_labels = warp_segmentation(pair.moving_labels, pair.field).data
    assert len(np.unique(our_labels[mask])) == 4
    assert np.mean(our_labels[mask] == np.asarray(labels)[mask]) >= 0.999


@pytest.mark.parametrize("format", [FieldFormat.ITK, FieldFormat.RAS])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_simpleitk_resamples_as_we_do(pair: Pair, format: FieldFormat, suffix: str, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    moving, labels, fixed = (sitk.ReadImage(path) for path in save_pair(pair, tmp_path))
    path = tmp_path / f"field{suffix}"
    write_field(pair.field, path, format)
    transform = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))

    def resample(image: object, interpolator: int) -> npt.NDArray[np.generic]:
        warped = sitk.Resample(image, fixed, transform, interpolator, 0.0)
        return sitk.GetArrayFromImage(warped).transpose(2, 1, 0)

    require_agreement(pair, resample(moving, sitk.sitkLinear), resample(labels, sitk.sitkNearestNeighbor))


def test_ants_resamples_as_we_do(pair: Pair, tmp_path: Path) -> None:
    ants = pytest.importorskip("ants")
    moving, labels, fixed = (ants.image_read(path) for path in save_pair(pair, tmp_path))
    path = tmp_path / "field.nii.gz"
    write_field(pair.field, path, FieldFormat.ITK)

    def resample(image: object, interpolator: str) -> npt.NDArray[np.generic]:
        return ants.apply_transforms(fixed, image, [str(path)], interpolator=interpolator).numpy()

    require_agreement(pair, resample(moving, "linear"), resample(labels, "nearestNeighbor"))


def test_ants_moves_points_as_we_do(pair: Pair, tmp_path: Path) -> None:
    ants = pytest.importorskip("ants")
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "field.nii.gz"
    write_field(pair.field, path, FieldFormat.ITK)
    centre = (np.array(pair.fixed.shape) - 1) / 2
    points = pair.fixed.to_world(centre + np.random.default_rng(0).uniform(-8, 8, (20, 3)))
    to_lps = np.array([-1, -1, 1])
    moved = ants.apply_transforms_to_points(3, pandas.DataFrame(points * to_lps, columns=["x", "y", "z"]), [str(path)])
    np.testing.assert_allclose(moved[["x", "y", "z"]].to_numpy() * to_lps, warp_points(points, pair.field), atol=1e-3)


def test_learn2reg_evaluation_warps_as_we_do(pair: Pair, tmp_path: Path) -> None:
    """The evaluation script's own lines: load either file, add the identity, read the moving array with order 0."""
    geometry = pair.moving.geometry
    write_field(pair.field, tmp_path / "disp.npz", FieldFormat.LEARN2REG, geometry)
    write_field(pair.field, tmp_path / "disp.nii.gz", FieldFormat.LEARN2REG, geometry)
    archive = np.load(tmp_path / "disp.npz")
    assert len(archive.files) == 1
    for disp in (archive[archive.files[0]], nib.load(tmp_path / "disp.nii.gz").get_fdata()):
        assert disp.shape == (*pair.fixed.shape, 3)
        identity = np.meshgrid(*(np.arange(n) for n in pair.fixed.shape), indexing="ij")
        at = identity + disp.transpose(3, 0, 1, 2)
        labels = map_coordinates(pair.moving_labels.data, at, order=0)
        require_agreement(pair, map_coordinates(pair.moving.data, at, order=1), labels)


def test_learn2reg_displacement_is_zero_between_equal_arrays() -> None:
    """Two scans of one shape whose world positions differ: world alignment moves the difference, arrays do not."""
    pair = random_pair(7)
    geometry = pair.fixed
    shifted = Geometry(
        geometry.shape, np.array([[1, 0, 0, 30], [0, 1, 0, -4], [0, 0, 1, 2], [0, 0, 0, 1]]) @ geometry.affine
    )
    u = np.broadcast_to(np.array([30, -4, 2], dtype=np.float32), (*geometry.shape, 3))
    np.testing.assert_allclose(voxel_displacement(DisplacementField(u, geometry), shifted), 0, atol=1e-5)


@pytest.mark.skipif(shutil.which("reg_resample") is None, reason="NiftyReg's reg_resample is not installed")
def test_niftyreg_resamples_as_we_do(pair: Pair, tmp_path: Path) -> None:
    moving, labels, fixed = save_pair(pair, tmp_path)
    field = tmp_path / "field.nii.gz"
    write_field(pair.field, field, FieldFormat.NIFTYREG)

    def resample(image: str, order: int) -> npt.NDArray[np.generic]:
        result = tmp_path / f"result{order}.nii"
        arguments = ["-ref", fixed, "-flo", image, "-trans", str(field), "-res", str(result), "-inter", str(order)]
        subprocess.run(["reg_resample", *arguments], check=True, capture_output=True)
        return np.asanyarray(nib.load(result).dataobj)

    require_agreement(pair, resample(moving, 1), resample(labels, 0))
