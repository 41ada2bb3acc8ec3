"""The Deformable Spatial Registration, by our own check and with SimpleITK applying what the file says."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset

from bridge.objects.errors import FindingInvalidError, RegistrationObjectError
from bridge.objects.identity import ResultIdentity, atlas_frame_of_reference
from bridge.objects.spatial_registration import read_registration, spatial_registration
from eigenwarp.field import DisplacementField, warp_points
from eigenwarp.volume import Geometry
from tests.bridge import phantom
from tests.bridge.objects.conftest import Case
from tests.bridge.objects.findings import MODEL, of_prior, smooth_field
from tests.bridge.objects.written import read_again

LPS = np.array((-1.0, -1.0, 1.0))


def _grid(written: Dataset) -> Dataset:
    (grid,) = written.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence
    return grid


def _itk_transform(grid: Dataset) -> sitk.DisplacementFieldTransform:
    """The transform of the standard's equation, taken from the attributes alone."""
    x, y, z = grid.GridDimensions
    vectors = np.frombuffer(grid.VectorGridData, dtype="<f4").reshape(z, y, x, 3)
    image = sitk.GetImageFromArray(vectors.astype(np.float64), isVector=True)
    row, column = np.split(np.array(grid.ImageOrientationPatient, dtype=float), 2)
    image.SetDirection(np.stack((row, column, np.cross(row, column)), axis=1).ravel().tolist())
    image.SetOrigin([float(value) for value in grid.ImagePositionPatient])
    image.SetSpacing([float(value) for value in grid.GridResolution])
    return sitk.DisplacementFieldTransform(image)


def test_the_field_comes_back_unchanged_on_its_grid(case: Case, identity: ResultIdentity) -> None:
    read = read_registration(read_again(spatial_registration(case.finding, case.series, identity)))
    assert case.finding.field is not None
    np.testing.assert_array_equal(read.field.displacement, case.finding.field.displacement)
    assert read.field.geometry.matches(case.finding.field.geometry, tolerance_mm=1e-6)
    assert read.fixed_frame_of_reference == case.series.frame_of_reference_uid
    assert read.moving_frame_of_reference == atlas_frame_of_reference(MODEL)


def test_simpleitk_moves_points_as_the_field_does(case: Case, identity: ResultIdentity) -> None:
    transform = _itk_transform(_grid(read_again(spatial_registration(case.finding, case.series, identity))))
    field = case.finding.field
    assert field is not None
    inside = np.random.default_rng(3).uniform(1, np.array(field.geometry.shape) - 2, (40, 3))
    points = field.geometry.to_world(inside)
    moved = np.array([transform.TransformPoint((point * LPS).tolist()) for point in points]) * LPS
    np.testing.assert_allclose(moved, warp_points(points, field), atol=1e-4)
    assert np.linalg.norm(moved - points, axis=1).min() > 1


@pytest.mark.parametrize("orientation", ["RAS", "LAS", "LPI", "PSR", "IRA"])
def test_a_grid_of_any_handedness_moves_the_same_points(
    one_case: Case, identity: ResultIdentity, orientation: str
) -> None:
    geometry, _ = one_case.series.volume.geometry.reoriented(orientation)
    field = smooth_field(geometry)
    written = read_again(spatial_registration(replace(one_case.finding, field=field), one_case.series, identity))
    transform = _itk_transform(_grid(written))
    points = geometry.to_world(np.random.default_rng(4).uniform(1, np.array(geometry.shape) - 2, (20, 3)))
    moved = np.array([transform.TransformPoint((point * LPS).tolist()) for point in points]) * LPS
    np.testing.assert_allclose(moved, warp_points(points, field), atol=1e-4)
    np.testing.assert_allclose(warp_points(points, read_registration(written).field), moved, atol=1e-4)


def test_the_vectors_take_twelve_bytes_for_each_point(one_case: Case, identity: ResultIdentity) -> None:
    grid = _grid(spatial_registration(one_case.finding, one_case.series, identity))
    assert len(grid.VectorGridData) == 12 * np.prod(one_case.series.volume.shape)
    assert tuple(grid.GridDimensions) == one_case.series.volume.shape


def test_with_an_atlas_only_the_series_is_referred_to(one_case: Case, identity: ResultIdentity) -> None:
    written = spatial_registration(one_case.finding, one_case.series, identity)
    deformed, identical = written.DeformableRegistrationSequence
    assert "ReferencedImageSequence" not in deformed
    assert deformed.RegistrationTypeCodeSequence[0].CodeValue == "125024"
    assert identical.SourceFrameOfReferenceUID == written.FrameOfReferenceUID
    assert [item.ReferencedSOPInstanceUID for item in identical.ReferencedImageSequence] == [
        dataset.SOPInstanceUID for dataset in one_case.series.datasets
    ]
    assert "StudiesContainingOtherReferencedInstancesSequence" not in written


def test_an_earlier_study_is_referred_to_by_study_series_and_instance(one_case: Case, identity: ResultIdentity) -> None:
    earlier = phantom.classic_series(one_case.stack, seed="earlier")
    finding = of_prior(one_case.finding, earlier[0].FrameOfReferenceUID, earlier)
    written = spatial_registration(finding, one_case.series, identity)
    uids = [dataset.SOPInstanceUID for dataset in earlier]
    deformed = written.DeformableRegistrationSequence[0]
    assert [item.ReferencedSOPInstanceUID for item in deformed.ReferencedImageSequence] == uids
    (study,) = written.StudiesContainingOtherReferencedInstancesSequence
    (series,) = study.ReferencedSeriesSequence
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == (
        earlier[0].StudyInstanceUID,
        earlier[0].SeriesInstanceUID,
    )
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence] == uids
    assert read_registration(written).moving_frame_of_reference == earlier[0].FrameOfReferenceUID


def test_where_the_series_moves_the_object_lies_in_the_other_space(one_case: Case, identity: ResultIdentity) -> None:
    field = smooth_field(Geometry.from_spacing((9, 8, 7)))
    finding = replace(one_case.finding, side="moving", field=field)
    read = read_registration(read_again(spatial_registration(finding, one_case.series, identity)))
    assert read.fixed_frame_of_reference == atlas_frame_of_reference(MODEL)
    assert read.moving_frame_of_reference == one_case.series.frame_of_reference_uid
    np.testing.assert_array_equal(read.field.displacement, field.displacement)


def test_without_a_field_there_is_no_registration(one_case: Case, identity: ResultIdentity) -> None:
    with pytest.raises(FindingInvalidError, match="needs a field"):
        spatial_registration(replace(one_case.finding, field=None), one_case.series, identity)


def _without_grid(written: Dataset) -> None:
    del written.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence


def _cut_short(written: Dataset) -> None:
    _grid(written).VectorGridData = _grid(written).VectorGridData[:-12]


def _undefined(written: Dataset) -> None:
    _grid(written).VectorGridData = np.full(3, np.nan, "<f4").tobytes() + _grid(written).VectorGridData[12:]


def _with_matrix(written: Dataset) -> None:
    matrix = Dataset()
    matrix.FrameOfReferenceTransformationMatrix = np.eye(4).ravel().tolist()
    written.DeformableRegistrationSequence[0].PreDeformationMatrixRegistrationSequence = [matrix]


def _skewed(written: Dataset) -> None:
    _grid(written).ImageOrientationPatient = [1, 0, 0, 0.1, 1, 0]


def _without_resolution(written: Dataset) -> None:
    del _grid(written).GridResolution


def _other_class(written: Dataset) -> None:
    written.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.1"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_grid, "0 grids"),
        (_cut_short, "bytes of vectors, expected"),
        (_undefined, "NaN"),
        (_with_matrix, "PreDeformationMatrixRegistrationSequence"),
        (_skewed, "from orthonormal"),
        (_without_resolution, "no GridResolution"),
        (_other_class, "is no Deformable Spatial Registration"),
    ],
)
def test_a_registration_that_does_not_hold_together_is_refused(
    one_case: Case, identity: ResultIdentity, damage: Callable[[Dataset], None], said: str
) -> None:
    written = read_again(spatial_registration(one_case.finding, one_case.series, identity))
    damage(written)
    with pytest.raises(RegistrationObjectError, match=said):
        read_registration(written)


def test_a_sheared_grid_is_refused(one_case: Case, identity: ResultIdentity) -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.2
    finding = replace(one_case.finding, field=DisplacementField.identity(Geometry((5, 5, 5), affine)))
    with pytest.raises(Exception, match="sheared"):
        spatial_registration(finding, one_case.series, identity)
