from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.orientations import apply_orientation

from eigenwarp.errors import EmptyVolumeError, GeometryInvalidError, OptionInvalidError
from eigenwarp.preprocess import Alignment, Preprocessing
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import read_segmentation, read_volume
from tests.volume.grids import ORIENTATIONS, geometries, noise, smooth_blob

SMALL = Preprocessing(shape=(10, 12, 8))


def directions(geometry: Geometry) -> np.ndarray:
    return geometry.affine[:3, :3] / geometry.spacing


@given(geometries(smallest=2, max_tilt=40), st.sampled_from(ORIENTATIONS))
def test_the_grid_is_centred_on_the_volume_along_its_directions(geometry: Geometry, orientation: str) -> None:
    preprocessing = Preprocessing((10, 12, 8), (1.5, 2.0, 0.7), orientation)
    grid = preprocessing.grid_for(Volume(noise(geometry.shape), geometry))
    canonical, _ = geometry.reoriented(orientation)
    assert grid.shape == (10, 12, 8)
    assert grid.orientation == orientation
    assert grid.spacing == pytest.approx((1.5, 2.0, 0.7), rel=2e-3)
    assert directions(grid) == pytest.approx(directions(canonical), abs=1e-9)
    # No further off than half a voxel, along axes where voxels are made to coincide.
    offset = (geometry.to_voxel(grid.centre) - (np.array(geometry.shape) - 1) / 2) * geometry.spacing
    assert np.abs(offset).max() <= 0.5 * 2.001
    ratio = np.array(preprocessing.spacing) / canonical.spacing
    if (np.abs(ratio - 1) > 0.01).all():
        assert grid.centre == pytest.approx(geometry.centre, abs=1e-9)


@given(geometries(largest=20, max_tilt=40, spacing=1.0), st.sampled_from(list(Alignment)))
def test_at_the_models_spacing_preparing_is_a_crop_and_pad(geometry: Geometry, alignment: Alignment) -> None:
    data = noise(geometry.shape)
    data.flat[0] += 50
    if data.size == 1:
        return
    volume = Volume(data, geometry)
    grid = SMALL.grid_for(volume, alignment)
    canonical, transform = geometry.reoriented("RAS")
    start = canonical.to_voxel(grid.to_world((0, 0, 0)))
    assert start == pytest.approx(np.rint(start), abs=1e-6)
    labels = np.arange(1, data.size + 1).reshape(data.shape).astype(np.uint16)
    expected = np.zeros(SMALL.shape, np.uint16)
    turned = apply_orientation(labels, transform)
    for index in np.ndindex(SMALL.shape):
        at = np.rint(start).astype(int) + index
        if ((at >= 0) & (at < canonical.shape)).all():
            expected[index] = turned[tuple(at)]
    assert np.array_equal(SMALL.prepare_segmentation(Segmentation(labels, geometry), grid), expected)


@pytest.mark.parametrize("alignment", list(Alignment))
def test_oblique_volumes_of_one_body_are_prepared_alike(alignment: Alignment) -> None:
    # A blob in the world, seen through two different scans, must come out at the same place of the model's grid.
    preprocessing = Preprocessing((24, 24, 24), (2.0, 2.0, 2.0), clip=1e3)
    angle = np.radians(25)
    tilted = np.eye(4)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    tilted[:3, :3] = turn @ np.diag([-0.8, 0.9, 1.1])
    plain = Geometry.from_spacing((50, 50, 50))
    other = Geometry((60, 56, 48), tilted)
    affine = tilted.copy()
    affine[:3, 3] = plain.centre - other.centre
    other = Geometry(other.shape, affine)
    where = np.array([3.0, -4.0, 2.0])
    volumes = [Volume(smooth_blob(geometry, where, 5.0), geometry) for geometry in (other, plain)]
    grids = preprocessing.grids_for_pair(*volumes, alignment)
    for volume, grid in zip(volumes, grids, strict=True):
        prepared = preprocessing.prepare(volume, grid)
        peak = np.unravel_index(prepared.argmax(), prepared.shape)
        assert np.linalg.norm(grid.to_world(peak) - where) <= 3**0.5 + 1e-6


def test_intensities_are_standardised_clipped_and_brought_to_zero_and_one() -> None:
    data = noise((10, 12, 8), seed=1)
    data[0, 0, 0] = 1e6
    volume = Volume(data, Geometry.from_spacing((10, 12, 8)))
    prepared = SMALL.prepare(volume, SMALL.grid_for(volume))
    values = data.astype(np.float64)
    values = np.clip((values - values.mean()) / values.std(), -5, 5)
    assert values.max() == 5
    assert prepared.dtype == np.float32
    assert prepared == pytest.approx((values - values.min()) / (values.max() - values.min()), abs=1e-7)
    assert (prepared.min(), prepared.max()) == (0, 1)


@given(st.floats(1e-30, 1e30), st.floats(-100, 100))
def test_the_scanners_scale_of_intensities_does_not_matter(slope: float, intercept: float) -> None:
    geometry = Geometry.from_spacing((10, 12, 8))
    data = noise((10, 12, 8))
    grid = SMALL.grid_for(Volume(data, geometry))
    scaled = Volume(((data + intercept) * slope).astype(np.float32), geometry)
    assert SMALL.prepare(scaled, grid) == pytest.approx(SMALL.prepare(Volume(data, geometry), grid), abs=1e-4)


def test_padding_is_zero_and_takes_no_part_in_the_statistics() -> None:
    small = Geometry.from_spacing((6, 6, 6))
    data = noise((6, 6, 6)) + 1000
    prepared = SMALL.prepare(Volume(data, small), SMALL.grid_for(Volume(data, small)))
    assert (prepared[:2] == 0).all()
    assert (prepared[:, :3] == 0).all()
    inner = prepared[2:8, 3:9, 1:7]
    assert inner == pytest.approx((data - data.min()) / (data.max() - data.min()), abs=1e-5)


def test_what_nothing_can_be_registered_to_is_refused() -> None:
    geometry = Geometry.from_spacing((6, 6, 6))
    flat = Volume(np.full((6, 6, 6), 3, np.float32), geometry)
    with pytest.raises(EmptyVolumeError, match="value 3"):
        SMALL.prepare(flat, SMALL.grid_for(flat))
    with pytest.raises(EmptyVolumeError, match="value 3"):
        SMALL.grid_for(flat, Alignment.MOMENTS)
    far = geometry.cropped((500, 0, 0), (6, 6, 6))
    with pytest.raises(GeometryInvalidError, match=r"\[500\.0, 0\.0, 0\.0\] mm, lies outside"):
        SMALL.prepare(Volume(noise((6, 6, 6)), far), SMALL.grid_for(flat))


def test_alignments_of_a_pair() -> None:
    fixed = Volume(noise((10, 12, 8)), Geometry.from_spacing((10, 12, 8)))
    moved = fixed.geometry.cropped((3, -2, 1), (10, 12, 8))
    data = np.zeros((10, 12, 8), np.float32)
    data[2, 9, 6] = 1
    moving = Volume(data, moved)
    world = SMALL.grids_for_pair(moving, fixed, Alignment.WORLD)
    assert world[0].matches(world[1])
    assert world[1].matches(SMALL.grid_for(fixed))
    moving_grid, fixed_grid = SMALL.grids_for_pair(moving, fixed, Alignment.CENTER)
    assert moving_grid.matches(moved)
    assert fixed_grid.matches(fixed.geometry)
    moving_grid, _ = SMALL.grids_for_pair(moving, fixed, Alignment.MOMENTS)
    assert moving_grid.to_voxel(moved.to_world((2, 9, 6))) == pytest.approx((4.5, 5.5, 3.5), abs=0.5 + 1e-9)


@given(geometries(smallest=3, max_tilt=180))
def test_moments_centre_the_grid_on_the_intensities(geometry: Geometry) -> None:
    data = np.abs(noise(geometry.shape))
    preprocessing = Preprocessing((8, 8, 8), (9.0, 9.0, 9.0))
    grid = preprocessing.grid_for(Volume(data, geometry), Alignment.MOMENTS)
    weights = (data - data.min()).astype(np.float64)
    points = geometry.to_world(geometry.voxel_grid())
    centre = (points * weights[..., None]).sum(axis=(0, 1, 2)) / weights.sum()
    assert grid.centre == pytest.approx(centre, abs=1e-4)


def test_the_description_survives_json_and_is_strict() -> None:
    preprocessing = Preprocessing((16, 32, 48), (1.39, 1.69, 1.39), "LSP", 4.0)
    assert Preprocessing.from_dict(preprocessing.to_dict()) == preprocessing
    described = Preprocessing().to_dict()
    assert described == {"shape": [48, 64, 48], "spacing": [1.0, 1.0, 1.0], "orientation": "RAS", "clip": 5.0}
    with pytest.raises(OptionInvalidError, match="exactly"):
        Preprocessing.from_dict(described | {"extra": 1})
    with pytest.raises(OptionInvalidError, match="exactly"):
        Preprocessing.from_dict({"shape": [48, 64, 48]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", [48, 64]),
        ("shape", [48, 64, 0]),
        ("shape", [48, 64, 48.0]),
        ("shape", [48, 64, True]),
        ("shape", "48"),
        ("shape", [48, 64, 100000]),
        ("spacing", [1.0, 1.0]),
        ("spacing", [1.0, 1.0, -1.0]),
        ("spacing", [1.0, 1.0, float("nan")]),
        ("spacing", [1.0, 1.0, "1"]),
        ("orientation", "RAR"),
        ("orientation", "ras"),
        ("orientation", 7),
        ("clip", 0),
        ("clip", float("inf")),
        ("clip", "5"),
        ("clip", True),
    ],
)
def test_refuses_a_description_that_is_none(key: str, value: object) -> None:
    with pytest.raises(OptionInvalidError, match=key):
        Preprocessing.from_dict(Preprocessing().to_dict() | {key: value})


def test_the_hippocampus_volumes_are_cropped_and_padded_without_interpolation(hippocampus: Path) -> None:
    files = sorted((hippocampus / "images").glob("*.nii.gz"))[::6]
    assert files
    preprocessing = Preprocessing()
    for file in files:
        volume, segmentation = read_volume(file), read_segmentation(hippocampus / "labels" / file.name)
        grid = preprocessing.grid_for(volume)
        labels = preprocessing.prepare_segmentation(segmentation, grid)
        start = -np.rint(volume.geometry.to_voxel(grid.to_world((0, 0, 0)))).astype(int)
        assert (start >= 0).all()
        box = tuple(slice(s, s + n) for s, n in zip(start, volume.shape, strict=True))
        assert np.array_equal(labels[box], segmentation.data)
        assert labels.sum() == segmentation.data.sum()
        values = volume.data.astype(np.float64)
        values = np.clip((values - values.mean()) / values.std(), -5, 5)
        expected = (values - values.min()) / (values.max() - values.min())
        assert np.abs(preprocessing.prepare(volume, grid)[box] - expected).max() < 1e-6


def test_lungs_stored_left_superior_posterior_come_out_upright(lung: Path) -> None:
    files = sorted((lung / "images").glob("*.nii.gz"))
    assert files
    preprocessing = Preprocessing((96, 64, 128), (4.0, 4.0, 4.0))
    for file in files:
        volume, segmentation = read_volume(file), read_segmentation(lung / "lung_masks" / file.name)
        assert volume.geometry.orientation == "LSP"
        grid = preprocessing.grid_for(volume)
        labels = preprocessing.prepare_segmentation(segmentation, grid)
        prepared = preprocessing.prepare(volume, grid)
        assert grid.orientation == "RAS"
        for label in (1, 2):
            # A lung keeps its centre to half a voxel, and its volume: nearest voxels drop one sheet in forty here.
            before = volume.geometry.to_world(np.argwhere(segmentation.data == label).mean(axis=0))
            after = grid.to_world(np.argwhere(labels == label).mean(axis=0))
            assert after == pytest.approx(before, abs=2.0)
            share = (labels == label).sum() * grid.voxel_volume / volume.geometry.voxel_volume
            assert share == pytest.approx((segmentation.data == label).sum(), rel=0.04)
        # Air is dark: a lung's mean lies below the body's.
        assert prepared[labels > 0].mean() < prepared[labels == 0][prepared[labels == 0] > 0].mean()
