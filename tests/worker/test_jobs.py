"""Each kind of job from row to results: what is handed out is what the computing core gives."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest

from eigenwarp.files import FieldFormat, field_from_bytes
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.choices import FieldFormatChoice
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.schemas.requests import (
    ALL_OUTPUTS,
    DEFAULT_OUTPUTS,
    DeformationRequest,
    FigureRequest,
    NothingRequest,
    ProjectRequest,
    ReconstructRequest,
    RegisterOptions,
    RegisterRequest,
    WarpRequest,
)
from eigenwarp.stores.models import derived_key
from eigenwarp.volume.nifti import segmentation_from_bytes, volume_from_bytes
from tests.tiny_bundle import COMPONENTS, blob
from tests.worker.deployment import Deployment
from worker import engine
from worker.engine import component_field, move_along_component, project_volume, register_volumes

MOVING, MOVING_LABELS = blob(1)
FIXED, FIXED_LABELS = blob(2)


def register_request(deployment: Deployment, **options: object) -> tuple[RegisterRequest, list[str]]:
    volumes = [deployment.upload(content) for content in (MOVING, FIXED, MOVING_LABELS, FIXED_LABELS)]
    request = RegisterRequest(
        moving=volumes[0],
        fixed=volumes[1],
        moving_segmentation=volumes[2],
        fixed_segmentation=volumes[3],
        options=RegisterOptions.model_validate(options),
    )
    return request, volumes


def test_a_registration_hands_out_what_the_core_computes(deployment: Deployment, model: RegistrationModel) -> None:
    job = deployment.run(*register_request(deployment))
    assert (job.state, job.attempt, job.problem) == ("succeeded", 1, None)
    assert [artefact.name for artefact in job.artefacts] == list(DEFAULT_OUTPUTS)
    expected = register_volumes(
        model, MOVING, FIXED, moving_segmentation=MOVING_LABELS, fixed_segmentation=FIXED_LABELS
    )
    field = field_from_bytes(deployment.result(job, "field"))
    np.testing.assert_array_equal(field.displacement, expected.field.displacement)
    inverse = field_from_bytes(deployment.result(job, "inverse_field"))
    np.testing.assert_array_equal(inverse.displacement, expected.inverse_field.displacement)
    warped = volume_from_bytes(deployment.result(job, "warped"))
    np.testing.assert_array_equal(warped.data, expected.warped.data)
    jacobian = volume_from_bytes(deployment.result(job, "jacobian"))
    np.testing.assert_array_equal(jacobian.data, expected.jacobian.data)
    labels = segmentation_from_bytes(deployment.result(job, "warped_segmentation"))
    assert expected.warped_segmentation is not None
    np.testing.assert_array_equal(labels.data, expected.warped_segmentation.data)
    report = Report.model_validate_json(deployment.result(job, "report"))
    assert report == job.report
    assert report.labels == expected.report.labels


def test_results_lie_under_job_and_token_and_are_told_with_length_and_hash(deployment: Deployment) -> None:
    job = deployment.run(*register_request(deployment))
    assert sorted(deployment.keys("jobs/")) == sorted(artefact.key for artefact in job.artefacts)
    for artefact in job.artefacts:
        content = deployment.place.objects.get(artefact.key)
        assert artefact.key == f"jobs/{job.id}/{job.token}/{artefact.filename}"
        assert (artefact.bytes, artefact.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_only_what_was_asked_for_is_made_in_the_order_it_was_asked_for(deployment: Deployment) -> None:
    job = deployment.run(*register_request(deployment, outputs=["warped", "field"]))
    assert [artefact.name for artefact in job.artefacts] == ["warped", "field"]
    assert job.report is not None


def test_the_explanations_picture_is_drawn_where_it_is_asked_for(deployment: Deployment) -> None:
    job = deployment.run(*register_request(deployment, outputs=list(ALL_OUTPUTS)))
    assert [artefact.name for artefact in job.artefacts] == list(ALL_OUTPUTS)
    assert deployment.result(job, "explanation").startswith(b"\x89PNG")
    (artefact,) = (found for found in job.artefacts if found.name == "explanation")
    assert (artefact.content_type, artefact.filename) == ("image/png", "explanation.png")
    stages = [event.progress.stage for event in deployment.events(job.id) if event.progress is not None]
    assert stages.index("measure") < stages.index("draw") < stages.index("write")


@pytest.mark.parametrize("format", FieldFormat)
def test_fields_come_in_the_format_asked_for(deployment: Deployment, format: FieldFormat) -> None:
    job = deployment.run(*register_request(deployment, outputs=["field", "inverse_field"], field_format=str(format)))
    for name, moving in (("field", MOVING), ("inverse_field", FIXED)):
        field = field_from_bytes(deployment.result(job, name), format, moving.geometry)
        assert np.abs(field.displacement).max() > 0.1


def test_a_registration_without_segmentations_hands_out_the_predicted_ones(deployment: Deployment) -> None:
    volumes = [deployment.upload(content) for content in (MOVING, FIXED)]
    job = deployment.run(RegisterRequest(moving=volumes[0], fixed=volumes[1]), volumes)
    assert job.report is not None
    assert job.report.labels.moving_source == "predicted"
    assert "warped_segmentation" in [artefact.name for artefact in job.artefacts]


def test_a_projection_goes_into_the_row_and_the_subjects_history(
    deployment: Deployment, model: RegistrationModel
) -> None:
    volume = deployment.upload(MOVING, "s-1")
    acquired = datetime(2026, 1, 2, tzinfo=UTC)
    request = ProjectRequest(volume=volume, subject="s-1", acquired_at=acquired)
    job = deployment.run(request, [volume], "s-1")
    expected = project_volume(model, MOVING)
    assert job.projection == expected
    assert Projection.model_validate_json(deployment.result(job, "coefficients")) == expected
    (row,) = deployment.place.database.subjects.history("s-1")
    assert (row.acquired_at, row.job, row.volume, row.projection) == (acquired, job.id, volume, expected)


def test_a_projection_without_a_subject_leaves_no_history(deployment: Deployment) -> None:
    volume = deployment.upload(MOVING, "s-1")
    job = deployment.run(ProjectRequest(volume=volume), [volume])
    assert job.state == "succeeded"
    assert deployment.place.database.subjects.history("s-1") == []


def test_a_reconstruction_hands_out_field_template_and_labels(deployment: Deployment, model: RegistrationModel) -> None:
    job = deployment.run(ReconstructRequest(coefficients=(3.0, -2.0), field_format="ras"))
    expected = engine.reconstruct(model, [3.0, -2.0])
    assert [artefact.name for artefact in job.artefacts] == ["field", "warped", "warped_segmentation"]
    field = field_from_bytes(deployment.result(job, "field"), FieldFormat.RAS)
    np.testing.assert_array_equal(field.displacement, expected.field.displacement)
    warped = volume_from_bytes(deployment.result(job, "warped"))
    np.testing.assert_array_equal(warped.data, expected.warped.data)


def test_a_reconstruction_warps_the_callers_template(deployment: Deployment, model: RegistrationModel) -> None:
    template = deployment.upload(FIXED)
    job = deployment.run(ReconstructRequest(coefficients=(3.0,), template=template), [template])
    assert [artefact.name for artefact in job.artefacts] == ["field", "warped"]
    warped = volume_from_bytes(deployment.result(job, "warped"))
    np.testing.assert_array_equal(warped.data, engine.reconstruct(model, [3.0], FIXED).warped.data)


def test_a_volume_is_moved_along_a_component(deployment: Deployment, model: RegistrationModel) -> None:
    volumes = [deployment.upload(content) for content in (MOVING, MOVING_LABELS)]
    request = WarpRequest(component=2, volume=volumes[0], segmentation=volumes[1], scale=1.5)
    job = deployment.run(request, volumes)
    expected = move_along_component(model, MOVING, MOVING_LABELS, 2, 1.5)
    assert [artefact.name for artefact in job.artefacts] == ["warped", "warped_segmentation", "field"]
    warped = volume_from_bytes(deployment.result(job, "warped"))
    np.testing.assert_array_equal(warped.data, expected.warped.data)
    labels = segmentation_from_bytes(deployment.result(job, "warped_segmentation"))
    assert expected.warped_segmentation is not None
    np.testing.assert_array_equal(labels.data, expected.warped_segmentation.data)


@pytest.mark.parametrize("format", ["itk", "niftyreg"])
def test_a_deformation_is_kept_with_the_model(
    deployment: Deployment, model: RegistrationModel, format: FieldFormatChoice
) -> None:
    request = DeformationRequest(component=1, scale=-2.0, field_format=format)
    job = deployment.run(request)
    content = deployment.result(job, "deformation")
    assert deployment.place.objects.get(derived_key(deployment.model, request)) == content
    field = field_from_bytes(content, FieldFormat(format))
    np.testing.assert_array_equal(field.displacement, component_field(model, 1, -2.0).displacement)


def test_a_figure_is_kept_with_the_model(deployment: Deployment) -> None:
    request = FigureRequest(component=1, scale=2.0)
    job = deployment.run(request)
    content = deployment.result(job, "figure")
    assert content.startswith(b"\x89PNG")
    assert deployment.place.objects.get(derived_key(deployment.model, request)) == content
    assert job.artefacts[0].content_type == "image/png"


def test_a_job_that_computes_nothing_makes_nothing(deployment: Deployment) -> None:
    job = deployment.run(NothingRequest())
    assert (job.state, job.artefacts) == ("succeeded", ())
    assert deployment.keys("jobs/") == []


def test_what_cannot_be_done_fails_with_the_reason_at_the_first_attempt(deployment: Deployment) -> None:
    job = deployment.run(DeformationRequest(component=COMPONENTS + 1, scale=1.0))
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.problem is not None
    assert job.problem.type == "/problems/component-out-of-range"
    assert f"outside 1 to {COMPONENTS}" in job.problem.detail


def test_progress_is_told_from_claim_to_end(deployment: Deployment) -> None:
    job = deployment.run(*register_request(deployment, refine="latent"))
    events = deployment.events(job.id)
    assert [event.state for event in events] == ["running"] * (len(events) - 1) + ["succeeded"]
    told = [event.progress for event in events if event.progress is not None]
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages == ["load", "encode", "refine", "decode", "field", "invert", "warp", "measure", "write"]
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(0.9)
