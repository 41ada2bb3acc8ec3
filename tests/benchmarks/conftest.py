"""Pairs that any of the programs can register in a second."""

import os
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from benchmarks.subjects import Pair
from eigenwarp.field import warp_segmentation, warp_volume
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Geometry, Segmentation, Volume
from tests.benchmarks.translation import MOVED_MM, translation
from tests.tiny_bundle import tiny_bundle as tiny_bundle
from training.data.synthetic import make_subject

SHAPE = (32, 32, 32)
_ITK_THREADS = "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a benchmark gives the programs is theirs alone: with several threads they find another optimum."""
    monkeypatch.setenv(_ITK_THREADS, os.environ.get(_ITK_THREADS, "1"))
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def preprocessing() -> Preprocessing:
    return Preprocessing(shape=SHAPE)


@pytest.fixture(scope="session")
def shifted_pair() -> Pair:
    """One synthetic subject and its copy moved by ``MOVED_MM``, on a grid placed elsewhere in the world."""
    fixed, fixed_labels, _ = make_subject(np.random.default_rng(3), SHAPE)
    field = translation(fixed.geometry, -MOVED_MM)
    image, labels = warp_volume(fixed, field), warp_segmentation(fixed_labels, field)
    affine = fixed.geometry.affine.copy()
    affine[:3, 3] += (40, -25, 10)
    elsewhere = Geometry(SHAPE, affine)
    return Pair(
        ("moved", "still"), Volume(image.data, elsewhere), Segmentation(labels.data, elsewhere), fixed, fixed_labels
    )
