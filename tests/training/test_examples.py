from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eigenwarp.errors import ModelUnknownError
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Volume
from tests.tiny_bundle import LABELS, SHAPE
from training.data.cohort import open_cohort
from training.examples import Texture, make_examples, texture_level
from training.tensors import PreparedCohort


@pytest.fixture
def painter(model: RegistrationModel) -> RegistrationModel:
    """The tiny model with a template in [0, 1], as one that was made from a cohort has."""
    template = model.bundle.template
    assert template is not None
    prepared = Preprocessing(shape=SHAPE).prepare(template, template.geometry)
    model.bundle = replace(model.bundle, template=Volume(prepared, template.geometry))
    return model


def test_examples_are_a_data_set_of_images_and_labels(painter: RegistrationModel, tmp_path: Path) -> None:
    names = make_examples(painter, tmp_path, subjects=2)
    cohort = open_cohort(tmp_path, "validation")
    assert list(cohort.names) == names == ["synthetic_1", "synthetic_2"]
    for index in range(2):
        volume, segmentation = cohort.load(index)
        assert set(np.unique(segmentation.data)) == {0, *LABELS.values()}
        assert all(size <= limit for size, limit in zip(volume.shape, SHAPE, strict=True))
        assert volume.data.min() >= 0
        assert (volume.data == volume.data.round()).all()
        assert volume.geometry.spacing == (1, 1, 1)
        painter.register(volume, cohort.load(1 - index)[0])


def test_the_same_seed_gives_the_same_examples_and_another_others(painter: RegistrationModel, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        make_examples(painter, tmp_path / name, subjects=1, seed=seed)
    one, same, other = (open_cohort(tmp_path / name).load(0)[0].data for name in ("one", "same", "other"))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_subjects_differ_in_shape(painter: RegistrationModel, tmp_path: Path) -> None:
    make_examples(painter, tmp_path, subjects=2)
    cohort = open_cohort(tmp_path)
    first, second = (cohort.load(index)[1].data for index in range(2))
    assert (first != second).any()


def test_the_texture_is_as_strong_as_asked_for(painter: RegistrationModel, tmp_path: Path) -> None:
    for name, texture in (("smooth", Texture(0.0, 0.0)), ("rough", Texture(0.0, 0.1))):
        make_examples(painter, tmp_path / name, subjects=1, texture=texture)
    smooth, rough = (open_cohort(tmp_path / name).load(0)[0].data for name in ("smooth", "rough"))
    assert np.abs(np.diff(rough, axis=0)).mean() > 1.5 * np.abs(np.diff(smooth, axis=0)).mean()


def test_texture_level_gives_back_the_noise_that_was_added(painter: RegistrationModel) -> None:
    template = painter.bundle.template
    assert template is not None
    # Where the network moves nothing, what an image has beyond the template is the noise alone.
    with torch.no_grad():
        painter.network.decoder.to_gradients.weight.zero_()
    flat = replace(painter.bundle, template=Volume(np.full(SHAPE, 0.5, dtype=np.float32), template.geometry))
    painter.bundle = flat
    random = np.random.default_rng(0)
    images = [0.5 + 0.05 * random.standard_normal(SHAPE) for _ in range(4)]
    cohort = PreparedCohort(
        ("a", "b", "c", "d"),
        torch.from_numpy(np.stack(images))[:, None].float(),
        torch.zeros(4, *SHAPE, dtype=torch.uint8),
    )
    texture = texture_level(painter, cohort)
    assert texture.noise == pytest.approx(0.05, rel=0.1)
    # White noise has little that is smooth.
    assert texture.anatomy < 0.01


def test_a_model_without_a_template_makes_no_examples(painter: RegistrationModel, tmp_path: Path) -> None:
    bundle = painter.bundle
    for change, named in (({"template": None}, "no template"), ({"template_segmentation": None}, "no labelled")):
        painter.bundle = replace(bundle, **change)  # type: ignore[arg-type]
        with pytest.raises(ModelUnknownError, match=named):
            make_examples(painter, tmp_path / "none")
        assert not (tmp_path / "none").exists()
