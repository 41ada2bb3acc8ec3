"""Pictures are PNG files that depend on nothing but what they show."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from eigenwarp.errors import ModelUnknownError
from eigenwarp.model.registration import RegistrationModel
from tests.tiny_bundle import blob
from worker.figure import component_figure, registration_figure
from worker.registration import register_volumes


def pixels(png: bytes) -> npt.NDArray[np.float32]:
    return np.asarray(imread(io.BytesIO(png)))


def test_a_registration_is_drawn_with_and_without_labels(model: RegistrationModel) -> None:
    (moving, moving_labels), (fixed, fixed_labels) = blob(1), blob(2)
    outputs = register_volumes(model, moving, fixed)
    bare = registration_figure(moving, fixed, None, None, outputs)
    labelled = registration_figure(moving, fixed, moving_labels, fixed_labels, outputs)
    assert pixels(bare).shape[1] > 2000
    # The target's outline has a colour of its own, which the picture without labels holds only in its legend.
    target = np.array([0x3F, 0xD0, 0xFF]) / 255
    count = [(np.abs(pixels(png)[..., :3] - target) < 0.02).all(axis=-1).sum() for png in (bare, labelled)]
    assert count[1] > count[0] + 200


def test_a_component_is_drawn_the_same_each_time_and_differently_at_another_scale(model: RegistrationModel) -> None:
    first, again, other = (component_figure(model, 1, scale) for scale in (2.0, 2.0, -2.0))
    assert first == again
    assert np.abs(pixels(first) - pixels(other)).max() > 0.2


def test_without_a_template_there_is_nothing_to_draw(model: RegistrationModel) -> None:
    from dataclasses import replace

    bare = RegistrationModel(replace(model.bundle, template=None))
    with pytest.raises(ModelUnknownError, match="no template"):
        component_figure(bare, 1, 1.0)
