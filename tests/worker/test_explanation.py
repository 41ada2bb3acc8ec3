"""What a registration's report says of its components and motions, with a small untrained network."""

import io
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from eigenwarp.errors import ModelUnknownError
from eigenwarp.field import jacobian_determinant
from eigenwarp.field.motion import decompose_motion
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.schemas.report import Explanation
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.bounding_box import bounding_box
from tests.tiny_bundle import COMPONENTS, blob
from worker.explanation_figure import explanation_figure
from worker.registration import RegistrationOutputs, register_volumes

MOVING, MOVING_LABELS = blob(1)
FIXED, FIXED_LABELS = blob(2)


@pytest.fixture(scope="module")
def outputs(model: RegistrationModel) -> RegistrationOutputs:
    return register_volumes(model, MOVING, FIXED, moving_segmentation=MOVING_LABELS, fixed_segmentation=FIXED_LABELS)


def explanation_of(outputs: RegistrationOutputs) -> Explanation:
    assert outputs.report.explanation is not None
    return outputs.report.explanation


def test_the_motion_is_that_of_the_inverse_over_the_moving_labels(outputs: RegistrationOutputs) -> None:
    """Both images have one grid here, so that no alignment is to be taken off."""
    explanation = explanation_of(outputs)
    expected = decompose_motion(outputs.inverse_field, MOVING_LABELS.data > 0)
    assert explanation.motion is not None
    assert explanation.motion.rms_mm == pytest.approx(expected.rms_mm, rel=1e-4)
    assert explanation.motion.shares.rotation == pytest.approx(expected.rotation_share, abs=1e-4)
    assert sum(explanation.motion.shares.model_dump().values()) == pytest.approx(1)
    assert explanation.description is not None


def test_with_all_of_the_difference_in_the_basis_both_motions_are_one(model: RegistrationModel) -> None:
    explanation = explanation_of(register_volumes(model, MOVING, FIXED, components=COMPONENTS))
    assert explanation.motion is not None
    assert explanation.basis_motion is not None
    assert explanation.beyond_basis_mm == pytest.approx(0, abs=0.01)
    assert explanation.basis_motion.rms_mm == pytest.approx(explanation.motion.rms_mm, rel=1e-2)


def test_what_the_basis_does_not_hold_sets_the_motions_apart(outputs: RegistrationOutputs) -> None:
    explanation = explanation_of(outputs)
    assert explanation.outside_basis_share > 0.01
    assert explanation.beyond_basis_mm is not None
    assert explanation.beyond_basis_mm > 0.02


def test_a_scan_that_lies_elsewhere_moves_its_anatomy_no_further(model: RegistrationModel) -> None:
    """The same voxels in another scanner position: the alignment takes it up, and the motion stays the same."""
    here = explanation_of(register_volumes(model, MOVING, FIXED))
    away = explanation_of(register_volumes(model, Volume(MOVING.data, _shifted(MOVING.geometry)), FIXED))
    assert here.motion is not None
    assert away.motion is not None
    assert away.motion.rms_mm == pytest.approx(here.motion.rms_mm, rel=1e-3)
    assert away.motion.translation_mm == pytest.approx(here.motion.translation_mm, abs=1e-3)


def test_the_change_of_a_labels_volume_is_its_integral_over_the_inverses_determinant(
    outputs: RegistrationOutputs,
) -> None:
    rows = {row.label: row for row in explanation_of(outputs).volume_changes}
    assert [(label, row.name) for label, row in rows.items()] == [(1, "head"), (2, "body")]
    jacobian = jacobian_determinant(outputs.inverse_field)
    for label, row in rows.items():
        assert row.change_percent == pytest.approx(100 * (jacobian[MOVING_LABELS.data == label].mean() - 1), abs=1e-3)


def test_latent_refinement_tells_its_part(model: RegistrationModel, outputs: RegistrationOutputs) -> None:
    assert explanation_of(outputs).latent_refinement_mm == 0
    refined = explanation_of(register_volumes(model, MOVING, FIXED, refine=Refine.LATENT))
    assert refined.latent_refinement_mm is not None
    assert refined.latent_refinement_mm > 0.01


def test_coefficients_are_told_in_the_cohorts_standard_deviations(
    model: RegistrationModel, outputs: RegistrationOutputs
) -> None:
    for row in explanation_of(outputs).components:
        expected = row.coefficient / model.basis.standard_deviation(row.component)
        assert row.standard_deviations == pytest.approx(expected, rel=1e-5)


def test_labels_that_fix_no_motion_leave_it_open(model: RegistrationModel) -> None:
    for data in (np.zeros(MOVING.shape, np.uint16), _one_plane()):
        explanation = explanation_of(
            register_volumes(model, MOVING, FIXED, moving_segmentation=Segmentation(data, MOVING.geometry))
        )
        assert (explanation.motion, explanation.basis_motion, explanation.beyond_basis_mm) == (None, None, None)
        assert explanation.description is not None
        assert explanation.description.startswith("Of the latent difference")


def test_a_report_of_an_earlier_version_can_still_be_read() -> None:
    old = {"components": [{"component": 1, "coefficient": 2.0, "share": 1.0}], "outside_basis_share": 0.0}
    found = Explanation.model_validate(old | {"field_beyond_decoding_mm": 0.0})
    assert (found.motion, found.description, found.volume_changes) == (None, None, [])


def test_the_picture_shows_the_labels_and_depends_on_the_registration_alone(
    model: RegistrationModel, outputs: RegistrationOutputs
) -> None:
    first, again = explanation_figure(outputs), explanation_figure(outputs)
    assert first == again
    target = np.array([0x3F, 0xD0, 0xFF]) / 255
    pixels = np.asarray(imread(io.BytesIO(first)))[..., :3]
    assert (np.abs(pixels - target) < 0.02).all(axis=-1).sum() > 200
    bare = replace(outputs, pair=replace(outputs.pair, moving_labels=None, fixed_labels=None))
    assert explanation_figure(bare) != first


def test_without_a_basis_there_is_no_picture(outputs: RegistrationOutputs) -> None:
    bare = replace(outputs, report=outputs.report.model_copy(update={"explanation": None}))
    with pytest.raises(ModelUnknownError, match="no basis"):
        explanation_figure(bare)


def test_a_box_is_the_tightest_around_what_is_true_and_stays_on_the_grid() -> None:
    mask = np.zeros((6, 7, 8), np.bool_)
    mask[1, 2:4, 7] = True
    assert bounding_box(mask) == (slice(1, 2, 1), slice(2, 4, 1), slice(7, 8, 1))
    assert bounding_box(mask, margin=2) == (slice(0, 4, 1), slice(0, 6, 1), slice(5, 8, 1))


def _one_plane() -> npt.NDArray[np.uint16]:
    data = np.zeros(MOVING.shape, np.uint16)
    data[4:8, 4:8, 8] = 1
    return data


def _shifted(geometry: Geometry) -> Geometry:
    affine = geometry.affine.copy()
    affine[:3, 3] += (250.0, -40.0, 99.0)
    return Geometry(geometry.shape, affine)
