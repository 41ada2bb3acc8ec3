"""Coefficients stand for a subject: the one whose projection they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.errors import ComponentOutOfRangeError, ModelUnknownError, OptionInvalidError
from eigenwarp.field import warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import read_segmentation, read_volume
from eigenwarp.volume.overlap import dice
from tests.tiny_bundle import COMPONENTS, blob
from worker.components import component_field
from worker.projection import project_volume
from worker.reconstruction import reconstruct


def test_no_deviation_from_the_mean_leaves_the_template_as_it_is(model: RegistrationModel) -> None:
    found = reconstruct(model, [0.0])
    assert np.abs(found.field.displacement).max() < 1e-4
    assert model.bundle.template is not None
    np.testing.assert_allclose(found.warped.data, model.bundle.template.data, atol=1e-3)


def test_it_goes_the_other_way_than_the_papers_figures(model: RegistrationModel) -> None:
    spread = model.basis.standard_deviation(2)
    found = reconstruct(model, [0.0, 2 * spread])
    expected = component_field(model, 2, -2.0, "sd")
    np.testing.assert_allclose(found.field.displacement, expected.displacement, atol=1e-4)


def test_warped_template_and_labels_are_those_under_the_field(model: RegistrationModel) -> None:
    found = reconstruct(model, [3.0, -1.0, 0.5])
    template, labels = model.bundle.template, model.bundle.template_segmentation
    assert template is not None
    assert labels is not None
    assert found.warped_segmentation is not None
    assert np.array_equal(found.warped.data, warp_volume(template, found.field).data)
    assert np.array_equal(found.warped_segmentation.data, warp_segmentation(labels, found.field).data)


def test_another_template_is_warped_on_its_own_grid(model: RegistrationModel) -> None:
    data = blob(5)[0].data
    template = Volume(data, Geometry(data.shape, np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3) * 7))
    found = reconstruct(model, [3.0], template)
    assert found.warped.geometry == template.geometry
    assert found.warped_segmentation is None
    assert np.array_equal(found.warped.data, warp_volume(template, found.field).data)


def test_more_coefficients_than_components_are_refused(model: RegistrationModel) -> None:
    with pytest.raises(ComponentOutOfRangeError, match=f"{COMPONENTS + 1} coefficients"):
        reconstruct(model, [1.0] * (COMPONENTS + 1))


@pytest.mark.parametrize("coefficients", [[], [float("nan")], [float("inf"), 0.0]])
def test_coefficients_that_are_no_numbers_are_refused(model: RegistrationModel, coefficients: list[float]) -> None:
    with pytest.raises(OptionInvalidError):
        reconstruct(model, coefficients)


def test_the_published_model_gives_back_the_anatomy_that_was_projected() -> None:
    """An example's coefficients alone bring the template's labels onto its own."""
    root = Path(__file__).parents[2]
    trained = RegistrationModel.load(str(root / "models" / "hippocampus"), "cpu")
    image = read_volume(root / "examples" / "images" / "synthetic_2.nii.gz")
    labels = read_segmentation(root / "examples" / "labels" / "synthetic_2.nii.gz")
    coefficients = project_volume(trained, image).coefficients

    def overlap(a: list[float]) -> float:
        found = reconstruct(trained, a).warped_segmentation
        assert found is not None
        placed = trained.preprocessing.prepare_segmentation(labels, trained.preprocessing.grid_for(image))
        return float(np.mean(list(dice(found, Segmentation(placed, found.geometry), [1, 2]).values())))

    right = overlap(coefficients)
    assert right > 0.75
    assert right > overlap([0.0]) + 0.02
    assert right > overlap([-a for a in coefficients]) + 0.05


def test_a_model_without_a_template_has_nothing_to_show(model: RegistrationModel) -> None:
    bare = RegistrationModel(replace(model.bundle, template=None, template_segmentation=None), model.device)
    with pytest.raises(ModelUnknownError, match="no template"):
        reconstruct(bare, [1.0])
    assert reconstruct(bare, [1.0], blob(1)[0]).warped.shape == (16, 16, 16)
