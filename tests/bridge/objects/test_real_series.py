"""Real series, registered by the published model: what the archive would get is what the registration gave."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from highdicom.sr import Comprehensive3DSR
from pydicom import Dataset, dcmread

from bridge.dicom.convert import convert_series
from bridge.dicom.series_volume import SeriesVolume
from bridge.dicom.tolerances import Overrides
from bridge.errors import WriteBackBlockedError
from bridge.objects.build import result_objects
from bridge.objects.concepts import label_concepts
from bridge.objects.finding import Counterpart, Finding, Picture
from bridge.objects.identity import ObjectKind, ResultIdentity, atlas_frame_of_reference
from bridge.objects.spatial_registration import read_registration
from bridge.objects.wording import component_sentence, motion_words
from eigenwarp.field import warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Segmentation
from tests.bridge.objects.findings import JOB, finding_of
from tests.bridge.objects.validators import dcentvfy_findings, dciodvfy_errors
from tests.bridge.objects.written import read_again, save
from worker.components import component_field, describe_components
from worker.figure import component_figure
from worker.registration import RegistrationOutputs, register_volumes

IDENTITY = ResultIdentity(JOB, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))


@dataclass(frozen=True, eq=False)
class Registered:
    series: SeriesVolume
    outputs: RegistrationOutputs
    finding: Finding
    made: dict[ObjectKind, Dataset]


def _series(folder: Path) -> SeriesVolume:
    datasets = [dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    return convert_series(datasets, overrides=Overrides(trust_synthetic_geometry=True))


@pytest.fixture(scope="module")
def model() -> RegistrationModel:
    return RegistrationModel.load("hippocampus")


@pytest.fixture(scope="module")
def registered(dicom: Path, model: RegistrationModel) -> Registered:
    """The atlas onto the first study's crop."""
    series, bundle = _series(dicom / "study1_hippocampus_crop"), model.bundle
    assert bundle.template is not None
    outputs = register_volumes(model, bundle.template, series.volume, moving_segmentation=bundle.template_segmentation)
    reference = outputs.report.model
    finding = Finding(
        job=JOB,
        model=reference,
        counterpart=Counterpart("atlas", f"template {reference.version}", atlas_frame_of_reference(reference)),
        report=outputs.report,
        segmentation=outputs.warped_segmentation,
        label_source="warped",
        concepts=label_concepts(reference.name, bundle.manifest.labels),
        jacobian=outputs.jacobian,
        field=outputs.field,
        components=describe_components(model),
        pictures=(Picture(component_figure(model, 1, 2.0), "Component 1 at 2 standard deviations."),),
    )
    return Registered(series, outputs, finding, result_objects(finding, series, IDENTITY))


def test_the_validators_find_no_error(registered: Registered, tmp_path: Path) -> None:
    paths = [save(result, tmp_path / f"{kind}.dcm") for kind, result in registered.made.items()]
    assert [error for path in paths for error in dciodvfy_errors(path)] == []
    quirk = "Warning - Different information entities for attribute - Element=<AccessionNumber>"
    assert [found for found in dcentvfy_findings(paths) if not found.startswith(quirk)] == []


def test_the_labels_are_those_of_the_registration(registered: Registered) -> None:
    written = hd.seg.Segmentation.from_dataset(read_again(registered.made["segmentation"]))
    volume = written.get_volume(combine_segments=True).match_geometry(registered.series.source_geometry, tol=1e-3)
    labels = registered.outputs.warped_segmentation
    assert labels is not None
    np.testing.assert_array_equal(volume.array, registered.series.labels_on_source(labels))
    assert [segment.SegmentLabel for segment in written.SegmentSequence] == ["hippocampus head", "hippocampus body"]


def test_the_volumes_are_those_of_the_labels(registered: Registered) -> None:
    labels = registered.outputs.warped_segmentation
    assert labels is not None
    report = Comprehensive3DSR.from_dataset(read_again(registered.made["measurements"]))
    groups = report.content.get_volumetric_roi_measurement_groups()
    told = [group.get_measurements()[0].value for group in groups]
    counted = [int((labels.data == label).sum()) * labels.geometry.voxel_volume for label in (1, 2)]
    assert told == pytest.approx(counted, rel=1e-6)


def test_the_field_moves_the_template_as_the_registration_did(registered: Registered, model: RegistrationModel) -> None:
    read = read_registration(read_again(registered.made["registration"]))
    np.testing.assert_array_equal(read.field.displacement, registered.outputs.field.displacement)
    assert model.bundle.template is not None
    again = warp_volume(model.bundle.template, read.field)
    np.testing.assert_allclose(again.data, registered.outputs.warped.data, atol=1e-4)


def test_the_jacobian_map_holds_the_determinant(registered: Registered) -> None:
    volume = hd.pm.ParametricMap.from_dataset(read_again(registered.made["jacobian"])).get_volume(dtype=np.float32)
    matched = volume.match_geometry(registered.series.source_geometry, tol=1e-3)
    np.testing.assert_array_equal(matched.array, registered.series.values_on_source(registered.outputs.jacobian))


def test_nothing_is_placed_by_a_geometry_that_was_made_up(dicom: Path, registered: Registered) -> None:
    datasets = [dcmread(path) for path in sorted((dicom / "study1_hippocampus_crop").glob("*.dcm"))]
    series = convert_series(datasets)
    for kind in ("segmentation", "jacobian", "registration"):
        with pytest.raises(WriteBackBlockedError):
            result_objects(registered.finding, series, IDENTITY, (kind,))  # type: ignore[arg-type]
    assert list(result_objects(registered.finding, series, IDENTITY, ("measurements", "report"))) == [
        "measurements",
        "report",
    ]


def test_an_oblique_series_with_thick_slices_passes_as_well(dicom: Path, tmp_path: Path) -> None:
    series = _series(dicom / "study3_t1")
    middle = np.indices(series.volume.shape) - np.array(series.volume.shape)[:, None, None, None] / 2
    inside = (np.abs(middle) < np.array((30, 24, 5))[:, None, None, None]).all(axis=0)
    labels = Segmentation(inside.astype(np.uint16) + (inside & (middle[1] > 0)), series.volume.geometry)
    finding = replace(finding_of(series, labels), components=None)
    made = result_objects(finding, series, IDENTITY)
    paths = [save(result, tmp_path / f"{kind}.dcm") for kind, result in made.items()]
    assert [error for path in paths for error in dciodvfy_errors(path)] == []
    volume = hd.seg.Segmentation.from_dataset(read_again(made["segmentation"])).get_volume(combine_segments=True)
    matched = volume.match_geometry(series.source_geometry, tol=1e-3)
    np.testing.assert_array_equal(matched.array, series.labels_on_source(labels))


def test_the_words_lead_the_way_that_the_anatomy_moved(model: RegistrationModel) -> None:
    """The template warped along a component by +2 sd, then registered to: the report speaks of that motion, not its
    opposite."""
    template = model.bundle.template
    assert template is not None
    moved = warp_volume(template, component_field(model, 1, 2.0))
    report = register_volumes(model, template, moved).report
    assert report.explanation is not None
    share, row = report.explanation.components[0], describe_components(model).rows[0]
    finding = Finding(
        job=JOB,
        model=report.model,
        counterpart=Counterpart("atlas", "template", atlas_frame_of_reference(report.model)),
        report=report,
    )
    amount = share.coefficient / row.standard_deviation
    assert 1 < amount < 3
    assert component_sentence(finding, share, row) == motion_words(row.motion, amount)
