"""Elementary deformations and the rows that describe them."""

import numpy as np
import pytest

from eigenwarp.errors import ComponentOutOfRangeError, OptionInvalidError
from eigenwarp.explanation import describe_motion
from eigenwarp.field import invert, jacobian_determinant
from eigenwarp.field.motion import decompose_motion
from eigenwarp.model.registration import RegistrationModel
from tests.tiny_bundle import COMPONENTS
from worker.components import component_field, describe_components


def test_the_field_is_the_decoded_direction_on_the_templates_grid(model: RegistrationModel) -> None:
    field = component_field(model, 2, 1.5, "sd")
    decoded = model.decode(1.5 * model.basis.standard_deviation(2) * model.basis.direction(2))
    # 1 mm, RAS: the template's voxels are the world's millimetres.
    assert np.allclose(field.displacement, decoded, atol=1e-4)
    assert model.bundle.template is not None
    assert field.geometry.matches(model.bundle.template.geometry)


def test_a_standard_deviation_is_that_many_latent_units(model: RegistrationModel) -> None:
    by_sd = component_field(model, 1, 2.0, "sd").displacement
    by_latent = component_field(model, 1, 2.0 * model.basis.standard_deviation(1), "latent").displacement
    assert np.allclose(by_sd, by_latent, atol=1e-5)


def test_scale_zero_is_the_identity(model: RegistrationModel) -> None:
    assert np.abs(component_field(model, 1, 0.0).displacement).max() < 1e-5


@pytest.mark.parametrize("number", [0, -1, COMPONENTS + 1])
def test_components_outside_the_basis_are_refused(model: RegistrationModel, number: int) -> None:
    with pytest.raises(ComponentOutOfRangeError, match=f"1 to {COMPONENTS}"):
        component_field(model, number, 1.0)


def test_a_scale_that_is_no_number_is_refused(model: RegistrationModel) -> None:
    with pytest.raises(OptionInvalidError, match="finite"):
        component_field(model, 1, float("nan"))


def test_rows_describe_the_anatomys_motion_which_is_the_inverse_of_the_field(model: RegistrationModel) -> None:
    table = describe_components(model)
    assert [row.component for row in table.rows] == [1, 2, 3]
    assert model.bundle.template_segmentation is not None
    labels = model.bundle.template_segmentation
    for row in table.rows:
        inverse = invert(component_field(model, row.component, 1.0), labels.geometry)
        moved = inverse.displacement[labels.data > 0]
        assert row.motion.measured_over == "labels"
        assert row.motion.translation_mm == pytest.approx(moved.mean(axis=0).tolist(), abs=0.02)
        assert sum(row.motion.shares.model_dump().values()) == pytest.approx(1)
        volume = float(jacobian_determinant(inverse)[labels.data == 1].mean())
        assert row.volume_changes[0].change_percent == pytest.approx(100 * (volume - 1), abs=0.5)
        motion = decompose_motion(inverse, labels.data > 0)
        assert row.description.startswith(describe_motion(motion)), "the line, and what the labels do"


def test_variances_accumulate(model: RegistrationModel) -> None:
    rows = describe_components(model).rows
    assert rows[-1].cumulative == pytest.approx(sum(row.explained_variance_ratio for row in rows), rel=1e-5)
    assert rows[0].explained_variance_ratio >= rows[1].explained_variance_ratio
