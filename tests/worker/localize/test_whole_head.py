"""Whole heads are registered and projected by their crops, and labels come back onto the whole grid."""

from collections.abc import Callable

import numpy as np
import pytest

from eigenwarp.errors import SegmentationGeometryError, StructureNotLocatedError
from eigenwarp.field import warp_segmentation
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.choices import SideChoice
from eigenwarp.schemas.localization import Localize, LocalizePair
from eigenwarp.volume import Geometry, Segmentation, Volume
from tests.worker.localize.heads import LEFT, Head
from worker.localize.locate import Located
from worker.localize.whole_head import cropped, on_whole_grid, project_whole_head, register_whole_heads
from worker.projection import project_volume
from worker.registration import register_volumes

Box = Callable[[Head, SideChoice], Located]
LOCALIZE = Localize(structure="hippocampus", side="left")
PAIR = LocalizePair(structure="hippocampus", side="left")


def test_labels_of_a_crop_come_back_where_they_were(head: Head, box: Box) -> None:
    located = box(head, "left")
    inside = Segmentation(cropped(Volume(head.hippocampi.data, head.image.geometry), located).data, located.geometry)
    whole = on_whole_grid(inside, located, head.image.geometry)
    np.testing.assert_array_equal(whole.data, np.where(head.hippocampi.data == LEFT, LEFT, 0))


def test_a_registration_of_whole_heads_is_that_of_their_crops(
    model: RegistrationModel, head: Head, moved: Head, box: Box
) -> None:
    found = register_whole_heads(
        model,
        moved.image,
        head.image,
        PAIR,
        moving_segmentation=moved.hippocampi,
        fixed_segmentation=head.hippocampi,
    )
    boxes = {"moving": box(moved, "left"), "fixed": box(head, "left")}
    crops = register_volumes(model, cropped(moved.image, boxes["moving"]), cropped(head.image, boxes["fixed"]))
    np.testing.assert_array_equal(found.field.displacement, crops.field.displacement)
    assert found.field.geometry.matches(boxes["fixed"].geometry)
    assert found.inverse_field.geometry.matches(boxes["moving"].geometry)
    assert found.report.moving_localization == boxes["moving"].described()
    assert found.report.fixed_localization == boxes["fixed"].described()
    # The field's millimetres are the world's: it moves the whole moving image's labels as they are.
    labels = found.warped_segmentation
    assert labels is not None
    assert labels.geometry.matches(head.image.geometry)
    on_crop = warp_segmentation(moved.hippocampi, found.field)
    x, y, z = (slice(o, o + n) for o, n in zip(boxes["fixed"].offset, on_crop.shape, strict=True))
    np.testing.assert_array_equal(labels.data[x, y, z], on_crop.data)
    assert labels.data.sum() == on_crop.data.sum() > 0
    assert found.report.labels.mean_dice_after is not None


def test_only_the_volumes_that_are_whole_heads_are_cropped(model: RegistrationModel, head: Head, box: Box) -> None:
    crop = cropped(head.image, box(head, "left"))
    only = LocalizePair(structure="hippocampus", side="left", volumes="moving")
    found = register_whole_heads(model, head.image, crop, only)
    assert found.report.fixed_localization is None
    assert found.report.moving_localization is not None
    assert found.field.geometry.matches(crop.geometry)
    with pytest.raises(StructureNotLocatedError, match=r"^moving: the image has"):
        register_whole_heads(model, crop, head.image, PAIR)


def test_a_projection_of_a_whole_head_is_that_of_its_crop(model: RegistrationModel, moved: Head, box: Box) -> None:
    found = project_whole_head(model, moved.image, LOCALIZE)
    located = box(moved, "left")
    expected = project_volume(model, cropped(moved.image, located))
    assert found.coefficients == expected.coefficients
    assert found.localization == located.described()
    assert expected.localization is None


def test_a_segmentation_on_another_grid_is_refused_before_anything_is_searched(
    model: RegistrationModel, head: Head
) -> None:
    grid = head.image.geometry
    elsewhere = Segmentation(head.hippocampi.data, Geometry(grid.shape, np.diag([2.0, 1, 1, 1]) @ grid.affine))
    with pytest.raises(SegmentationGeometryError, match=r"^moving: "):
        register_whole_heads(model, head.image, head.image, PAIR, moving_segmentation=elsewhere)
