"""The Parametric Map, read back with highdicom and pydicom."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset

from bridge.objects.errors import FindingInvalidError
from bridge.objects.identity import ResultIdentity
from bridge.objects.jacobian_map import jacobian_map
from eigenwarp.volume import Geometry, Volume
from tests.bridge.objects.conftest import Case
from tests.bridge.objects.written import read_again

LPS = np.array((-1.0, -1.0, 1.0))


def _places_and_values(written: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """RAS mm of every pixel, by hand from each frame's own position, and the values."""
    values = np.frombuffer(written.FloatPixelData, dtype="<f4")
    values = values.reshape(written.NumberOfFrames, written.Rows, written.Columns)
    shared = written.SharedFunctionalGroupsSequence[0]
    down, across = (float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing)
    orientation = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    rows, columns = np.mgrid[: written.Rows, : written.Columns]
    plane = columns[..., None] * across * orientation[:3] + rows[..., None] * down * orientation[3:]
    origins = [
        frame.PlanePositionSequence[0].ImagePositionPatient for frame in written.PerFrameFunctionalGroupsSequence
    ]
    return (np.array(origins, dtype=float)[:, None, None] + plane) * LPS, values


def test_every_value_is_that_of_the_determinant_at_its_place(case: Case, identity: ResultIdentity) -> None:
    places, values = _places_and_values(read_again(jacobian_map(case.finding, case.series, identity)))
    jacobian = case.finding.jacobian
    assert jacobian is not None
    voxels = jacobian.geometry.to_voxel(places)
    np.testing.assert_allclose(voxels, voxels.round(), atol=1e-3)
    np.testing.assert_array_equal(values, jacobian.data[tuple(np.moveaxis(voxels.round().astype(int), -1, 0))])
    assert values.size == jacobian.data.size


def test_highdicom_reads_the_values(case: Case, identity: ResultIdentity) -> None:
    written = read_again(jacobian_map(case.finding, case.series, identity))
    volume = hd.pm.ParametricMap.from_dataset(written).get_volume(dtype=np.float32)
    matched = volume.match_geometry(case.series.source_geometry, tol=1e-3)
    assert case.finding.jacobian is not None
    np.testing.assert_array_equal(matched.array, case.series.values_on_source(case.finding.jacobian))


def test_the_values_are_numbers_without_a_unit_of_a_named_quantity(one_case: Case, identity: ResultIdentity) -> None:
    written = jacobian_map(one_case.finding, one_case.series, identity)
    (mapping,) = written.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    unit, quantity = mapping.MeasurementUnitsCodeSequence[0], mapping.QuantityDefinitionSequence[0]
    assert (unit.CodingSchemeDesignator, unit.CodeValue) == ("UCUM", "1")
    (code,) = quantity.ConceptCodeSequence
    assert (code.CodingSchemeDesignator, code.CodeValue) == ("99EIGENWARP", "JACOBIAN")
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    assert written.FrameOfReferenceUID == one_case.series.frame_of_reference_uid
    assert written.ContentQualification == "RESEARCH"


def test_of_a_part_of_the_series_only_that_part_is_written(case: Case, identity: ResultIdentity) -> None:
    whole = case.finding.jacobian
    assert whole is not None
    offset, shape = (2, 1, 3), (7, 8, 6)
    box = tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))
    part = Volume(whole.data[box], whole.geometry.cropped(offset, shape))
    written = read_again(jacobian_map(replace(case.finding, jacobian=part), case.series, identity))
    places, values = _places_and_values(written)
    voxels = part.geometry.to_voxel(places)
    np.testing.assert_allclose(voxels, voxels.round(), atol=2e-3)
    np.testing.assert_array_equal(values, part.data[tuple(np.moveaxis(voxels.round().astype(int), -1, 0))])
    assert values.size == part.data.size
    for frame in written.PerFrameFunctionalGroupsSequence:
        assert len(frame.DerivationImageSequence[0].SourceImageSequence) == 1


def test_a_determinant_beside_the_series_is_refused(one_case: Case, identity: ResultIdentity) -> None:
    away = Volume(np.ones((4, 4, 4)), Geometry((4, 4, 4), np.diag((1.0, 1.0, 1.0, 1.0)) + 500 * np.eye(4, k=3)))
    for finding in (replace(one_case.finding, jacobian=away), replace(one_case.finding, jacobian=None)):
        with pytest.raises(FindingInvalidError, match="job_0123"):
            jacobian_map(finding, one_case.series, identity)
