"""A volume moved along a component moves as the template does."""

import numpy as np
import pytest

from eigenwarp.errors import ComponentOutOfRangeError, SegmentationGeometryError
from eigenwarp.field import warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.preprocess import Alignment
from eigenwarp.volume import Geometry, Segmentation, Volume
from tests.tiny_bundle import COMPONENTS, blob
from worker.along_component import move_along_component
from worker.components import component_field

IMAGE, LABELS = blob(3)


def test_the_template_moves_by_the_components_own_field(model: RegistrationModel) -> None:
    template, labels = model.bundle.template, model.bundle.template_segmentation
    assert template is not None
    moved = move_along_component(model, template, labels, 1, 1.5)
    np.testing.assert_allclose(moved.field.displacement, component_field(model, 1, 1.5).displacement, atol=1e-4)


def test_image_and_labels_go_under_the_same_field(model: RegistrationModel) -> None:
    moved = move_along_component(model, IMAGE, LABELS, 2, 40.0, "latent", Alignment.MOMENTS)
    assert moved.warped_segmentation is not None
    assert np.abs(moved.field.displacement).max() > 0.1
    assert np.array_equal(moved.warped.data, warp_volume(IMAGE, moved.field).data)
    assert np.array_equal(moved.warped_segmentation.data, warp_segmentation(LABELS, moved.field).data)


def test_nothing_moves_at_scale_zero(model: RegistrationModel) -> None:
    moved = move_along_component(model, IMAGE, None, 1, 0.0)
    np.testing.assert_allclose(moved.warped.data, IMAGE.data, atol=1e-2)
    assert moved.warped_segmentation is None


def test_a_volume_elsewhere_in_the_world_moves_alike(model: RegistrationModel) -> None:
    affine = np.eye(4)
    affine[:3, 3] = (100, -50, 7)
    away = Volume(IMAGE.data, Geometry(IMAGE.shape, affine))
    here, there = (move_along_component(model, volume, None, 1, 2.0) for volume in (IMAGE, away))
    np.testing.assert_allclose(there.field.displacement, here.field.displacement, atol=1e-4)
    assert there.warped.geometry == away.geometry


def test_labels_on_another_grid_and_unknown_components_are_refused(model: RegistrationModel) -> None:
    shifted = Segmentation(LABELS.data, Geometry(LABELS.shape, np.diag([2.0, 1, 1, 1])))
    with pytest.raises(SegmentationGeometryError):
        move_along_component(model, IMAGE, shifted, 1, 1.0)
    with pytest.raises(ComponentOutOfRangeError):
        move_along_component(model, IMAGE, None, COMPONENTS + 1, 1.0)
