"""A registration's outputs and report, with a small untrained network."""

import json

import numpy as np
import pytest

from eigenwarp.errors import SegmentationGeometryError
from eigenwarp.field import warp_segmentation, warp_volume
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.overlap import dice
from tests.tiny_bundle import COMPONENTS, blob
from worker.registration import RegistrationOutputs, register_volumes

MOVING, MOVING_LABELS = blob(1)
FIXED, FIXED_LABELS = blob(2)


@pytest.fixture(scope="module")
def outputs(model: RegistrationModel) -> RegistrationOutputs:
    return register_volumes(model, MOVING, FIXED, moving_segmentation=MOVING_LABELS, fixed_segmentation=FIXED_LABELS)


def test_warped_volumes_are_the_inputs_under_the_field_that_is_handed_out(outputs: RegistrationOutputs) -> None:
    assert np.array_equal(outputs.warped.data, warp_volume(MOVING, outputs.field).data)
    assert outputs.warped_segmentation is not None
    assert np.array_equal(outputs.warped_segmentation.data, warp_segmentation(MOVING_LABELS, outputs.field).data)
    assert np.abs(outputs.field.displacement - outputs.initial_field.displacement).max() > 0.2


def test_dice_before_is_that_of_the_initial_alignment_and_after_that_of_the_field(outputs: RegistrationOutputs) -> None:
    assert outputs.warped_segmentation is not None
    before = dice(warp_segmentation(MOVING_LABELS, outputs.initial_field), FIXED_LABELS, [1, 2])
    after = dice(outputs.warped_segmentation, FIXED_LABELS, [1, 2])
    rows = {row.label: row for row in outputs.report.labels.rows}
    assert {label: row.dice_before for label, row in rows.items()} == before
    assert {label: row.dice_after for label, row in rows.items()} == after
    assert rows[1].name == "head"
    assert outputs.report.labels.mean_dice_after == pytest.approx(np.mean(list(after.values())))


def test_the_change_of_a_label_runs_from_moving_to_fixed(outputs: RegistrationOutputs) -> None:
    row = outputs.report.labels.rows[0]
    moving, fixed = (float((labels.data == 1).sum()) for labels in (MOVING_LABELS, FIXED_LABELS))
    assert (row.moving_mm3, row.fixed_mm3, row.change_mm3) == (moving, fixed, fixed - moving)
    assert row.change_percent == pytest.approx(100 * (fixed - moving) / moving)


def test_shares_and_what_lies_outside_the_basis_add_up_to_one(outputs: RegistrationOutputs) -> None:
    explanation, coefficients = outputs.report.explanation, outputs.report.coefficients
    assert explanation is not None
    assert coefficients is not None
    assert len(explanation.components) == COMPONENTS
    shares = [row.share for row in explanation.components]
    assert sum(shares) + explanation.outside_basis_share == pytest.approx(1)
    # Without refinement what is decoded is the difference of the encodings.
    found = [row.coefficient for row in explanation.components]
    assert found == pytest.approx(coefficients.difference, rel=1e-3, abs=1e-4)
    squared = float((outputs.registration.latent_difference.astype(float) ** 2).sum())
    assert shares[0] == pytest.approx(found[0] ** 2 / squared, rel=1e-4)


def test_with_fewer_components_nothing_is_outside_the_basis(model: RegistrationModel) -> None:
    report = register_volumes(model, MOVING, FIXED, components=2).report
    assert report.explanation is not None
    assert report.explanation.outside_basis_share == pytest.approx(0, abs=1e-5)
    assert report.explanation.components[2].share == pytest.approx(0, abs=1e-5)


def test_field_refinement_says_what_no_component_explains(model: RegistrationModel) -> None:
    report = register_volumes(model, MOVING, FIXED, refine=Refine.FIELD).report
    assert report.explanation is not None
    assert report.explanation.field_beyond_decoding_mm > 0.01
    assert report.timings_s["refine"] > 0


def test_without_segmentations_labels_are_predicted_and_have_no_dice(model: RegistrationModel) -> None:
    outputs = register_volumes(model, MOVING, FIXED)
    labels = outputs.report.labels
    assert (labels.moving_source, labels.fixed_source) == ("predicted", "predicted")
    assert outputs.warped_segmentation is not None
    assert labels.mean_dice_after is None
    assert all(row.dice_after is None for row in labels.rows)


def test_a_volume_onto_itself_stays_where_it_is(model: RegistrationModel) -> None:
    report = register_volumes(
        model, MOVING, MOVING, moving_segmentation=MOVING_LABELS, fixed_segmentation=MOVING_LABELS
    ).report
    assert report.labels.mean_dice_after == 1
    assert report.similarity.after == pytest.approx(1, abs=1e-5)
    assert report.jacobian.minimum == pytest.approx(1, abs=1e-4)
    assert report.inverse_consistency.max_mm < 1e-3


def test_the_report_survives_json(outputs: RegistrationOutputs) -> None:
    text = outputs.report.model_dump_json()
    assert "NaN" not in text
    assert Report.model_validate(json.loads(text)) == outputs.report


def test_a_segmentation_of_another_grid_is_refused_by_name(model: RegistrationModel) -> None:
    elsewhere = Segmentation(FIXED_LABELS.data, Geometry.from_spacing((16, 16, 16), (2.0, 2.0, 2.0)))
    with pytest.raises(SegmentationGeometryError, match=r"^fixed: "):
        register_volumes(model, MOVING, FIXED, fixed_segmentation=elsewhere)


def test_warnings_name_what_changed_on_the_way_in(model: RegistrationModel) -> None:
    coarse = Volume(MOVING.data[::-1, :, :], Geometry((16, 16, 16), np.diag([-2.0, 1.5, 2.0, 1.0])))
    details = [n.detail for n in register_volumes(model, coarse, FIXED).report.warnings if n.code == "geometry-changed"]
    assert any("moving: resampled from 2 × 1.5 × 2 mm" in detail for detail in details)
    assert any("do not fit the model's grid" in detail for detail in details)
    assert any("stored as LAS, seen as RAS" in detail for detail in details)
    assert not any(detail.startswith("fixed") for detail in details)
