"""Which voxels a box in the patient takes of a grid: by hand on upright grids, by closed form on turned ones."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from bridge.dicom.convert import convert_series
from bridge.dicom.region import FEWEST_VOXELS, PatientBox, VoxelBox, covered, cropped
from bridge.errors import RegionOutsideError, RegionTooSmallError
from eigenwarp.errors import GeometryInvalidError
from eigenwarp.volume import Geometry
from tests.bridge import phantom

LPS_AND_RAS = np.array([-1.0, -1.0, 1.0])


def upright(shape: tuple[int, int, int] = (20, 30, 40)) -> Geometry:
    """1 × 2 × 3 mm, the first voxel at the world's origin: in LPS it goes to the right, to the front and up."""
    return Geometry(shape, np.diag([1.0, 2.0, 3.0, 1.0]))


@pytest.mark.parametrize(
    ("low", "high", "part"),
    [
        # Faces between voxels, from x = 4.5 to 9.5, y = 9 to 21, z = 28.5 to 46.5 in RAS: no neighbour is taken in.
        ((-9.5, -21.0, 28.5), (-4.5, -9.0, 46.5), VoxelBox((5, 5, 10), (5, 6, 6))),
        # A little more on every side, and each side takes one voxel more.
        ((-9.6, -21.1, 28.4), (-4.4, -8.9, 46.6), VoxelBox((4, 4, 9), (7, 8, 8))),
        # Faces through the centres of voxels: these are in.
        ((-9.0, -20.0, 30.0), (-5.0, -10.0, 45.0), VoxelBox((5, 5, 10), (5, 6, 6))),
        # Beyond the grid on the near side and on the far one.
        ((-5.0, -10.0, -99.0), (99.0, 99.0, 15.0), VoxelBox((0, 0, 0), (6, 6, 6))),
        ((-99.0, -999.0, 105.0), (-15.0, -50.0, 999.0), VoxelBox((15, 25, 35), (5, 5, 5))),
        ((-999.0, -999.0, -999.0), (999.0, 999.0, 999.0), VoxelBox((0, 0, 0), (20, 30, 40))),
    ],
)
def test_an_upright_grid_gives_the_voxels_counted_by_hand(low: object, high: object, part: VoxelBox) -> None:
    assert covered(upright(), PatientBox(low, high)) == part  # type: ignore[arg-type]


def test_a_grid_turned_by_an_eighth_about_the_long_axis_takes_the_diagonal() -> None:
    """A square column of side 2a reaches a·√2 along axes at 45 degrees to it, and as far as before along the third."""
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("z", 45, degrees=True).as_matrix() * (0.5, 1.5, 2.0)
    middle = np.array([50, 40, 30])
    turned[:3, 3] = -turned[:3, :3] @ middle
    part = covered(Geometry((101, 81, 61), turned), PatientBox((-10.0, -10.0, -8.0), (10.0, 10.0, 8.0)))
    # From the middle voxel: 10·√2 mm are 28.28 voxels of 0.5 mm and 9.43 of 1.5 mm; 8 mm are 4 of 2 mm.
    each_side = np.array([28, 9, 4])
    assert part == VoxelBox(tuple(middle - each_side), tuple(2 * each_side + 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("turn", [(8.0, -12.0, 5.0), (35.0, 25.0, -50.0)])
def test_an_oblique_series_gives_every_voxel_in_the_box_and_no_layer_too_many(
    plane: phantom.Plane, turn: tuple[float, float, float]
) -> None:
    of = phantom.stack(plane, turn, shape=(30, 50, 40))
    volume = convert_series(phantom.classic_series(of)).volume
    box = PatientBox((-7.0, -9.0, -6.0), (6.0, 4.0, 8.0))
    part = covered(volume.geometry, box)
    crop = cropped(volume, part)
    # Every pixel whose centre lies in the box is there, with its value, and where the slices say that it lies.
    points, stored = of.points(), phantom.intensities(of)
    within = ((points >= box.low) & (points <= box.high)).all(axis=-1)
    at = np.round(crop.geometry.to_voxel(points[within] * LPS_AND_RAS)).astype(int)
    np.testing.assert_array_equal(crop.data[tuple(at.T)], stored[within])
    # Each face of the crop is there for one corner of the box, which lies in its layer of voxels.
    corners = crop.geometry.to_voxel(_corners(box) * LPS_AND_RAS)
    np.testing.assert_array_equal(np.floor(corners.min(axis=0) + 0.5), 0)
    np.testing.assert_array_equal(np.floor(corners.max(axis=0) + 0.5), np.array(crop.shape) - 1)


def test_a_crop_keeps_values_and_places() -> None:
    volume = convert_series(phantom.classic_series(phantom.stack("sagittal", (8, -12, 5)))).volume
    part = VoxelBox((3, 2, 5), (7, 9, 11))
    crop = cropped(volume, part)
    np.testing.assert_array_equal(crop.data, volume.data[3:10, 2:11, 5:16])
    np.testing.assert_allclose(crop.geometry.to_world((1, 2, 3)), volume.geometry.to_world((4, 4, 8)))


def test_a_box_beside_the_series_is_refused_with_both_places() -> None:
    with pytest.raises(
        RegionOutsideError, match=r"\[50, 60\].*does not meet.*\[-19\.5, 0\.5\]×\[-59, 1\]×\[-1\.5, 118\.5\] mm"
    ):
        covered(upright(), PatientBox((50.0, -20.0, 10.0), (60.0, -10.0, 20.0)))


def test_a_box_with_too_few_voxels_is_refused_with_their_number() -> None:
    with pytest.raises(RegionTooSmallError, match=rf"covers 11×6×3 voxels.*1×2×3 mm.*{FEWEST_VOXELS} along each"):
        covered(upright(), PatientBox((-15.0, -20.0, 30.0), (-5.0, -10.0, 36.0)))
    # The box is large, and little of it lies on the grid.
    with pytest.raises(RegionTooSmallError, match="covers 2×30×40"):
        covered(upright(), PatientBox((-1.0, -500.0, -500.0), (500.0, 500.0, 500.0)))


def test_a_box_has_an_extent_and_corners_in_any_order() -> None:
    assert PatientBox.around(((1.0, -2.0, 3.0), (-4.0, 5.0, -6.0))) == PatientBox((-4.0, -2.0, -6.0), (1.0, 5.0, 3.0))
    assert PatientBox((0.0, 0.0, 0.0), (1.0, 2.0, 3.0)).grown(2.0) == PatientBox((-2.0, -2.0, -2.0), (3.0, 4.0, 5.0))
    with pytest.raises(GeometryInvalidError, match="extent along y, got 2 to 2 mm"):
        PatientBox((0.0, 2.0, 0.0), (1.0, 2.0, 3.0))
    with pytest.raises(GeometryInvalidError, match="extent along z, got 0 to nan"):
        PatientBox((0.0, 0.0, 0.0), (1.0, 2.0, float("nan")))


def _corners(box: PatientBox) -> npt.NDArray[np.float64]:
    return np.array(list(product(*zip(box.low, box.high, strict=True))))
