import numpy as np
import pytest
import torch

from eigenwarp.errors import DataSetError
from eigenwarp.preprocess import Preprocessing
from tests.training.cohorts import balls
from training.data.cohort import open_cohort
from training.data.synthetic import make_cohort
from training.tensors import prepare_cohort


def test_one_hot_leaves_the_background_out() -> None:
    cohort = balls(3)
    one_hot = cohort.one_hot(torch.tensor([2, 0]), 2)
    assert one_hot.shape == (2, 2, 16, 16, 16)
    assert torch.equal(one_hot[0, 1], (cohort.labels[2] == 2).float())
    assert torch.equal(one_hot[1].sum(dim=0), (cohort.labels[0] > 0).float())


def test_a_cohort_on_disk_is_prepared_on_the_models_grid(tmp_path) -> None:  # type: ignore[no-untyped-def]
    make_cohort(tmp_path, subjects=3, seed=0)
    cohort = open_cohort(tmp_path)
    prepared = prepare_cohort(cohort, Preprocessing(shape=(32, 32, 32)), (2, 1))
    assert prepared.names == cohort.names
    assert prepared.images.shape == (3, 1, 32, 32, 32)
    assert prepared.images.dtype == torch.float32
    assert 0 <= prepared.images.min() < prepared.images.max() <= 1
    assert prepared.labels.dtype == torch.uint8
    # Places in the model's order, not the files' values: label 2 is first here.
    swapped = prepare_cohort(cohort, Preprocessing(shape=(32, 32, 32)), (1, 2))
    assert torch.equal(prepared.labels == 1, swapped.labels == 2)
    assert np.array_equal(prepared.labels.unique(), [0, 1, 2])
    with pytest.raises(DataSetError, match=r"none of the labels \(7,\)"):
        prepare_cohort(cohort, Preprocessing(shape=(32, 32, 32)), (7,))


def test_a_single_subject_is_no_cohort(tmp_path) -> None:  # type: ignore[no-untyped-def]
    make_cohort(tmp_path, subjects=3, seed=0)
    cohort = open_cohort(tmp_path)
    with pytest.raises(DataSetError, match="at least two subjects, got 1"):
        prepare_cohort(type(cohort)(cohort.subjects[:1]), Preprocessing(), (1, 2))
