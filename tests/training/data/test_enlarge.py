"""A few subjects made into a cohort, and what it says of itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.field import DisplacementField, jacobian_determinant
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.overlap import dice
from training.data.cohort import Cohort, open_cohort
from training.data.enlarge import Enlargement, card_note, enlarge, random_copy_field
from training.data.respiration import Respiration
from training.data.synthetic import make_cohort

SMALL = Enlargement(copies=2, validation_copies=1, diaphragm_mm=3.0, chest=0.08, steepness=0.3)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return open_cohort(make_cohort(tmp_path_factory.mktemp("few") / "blobs", 3, shape=(24, 32, 24)))


@pytest.fixture(scope="module")
def enlarged(few: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return enlarge(few, tmp_path_factory.mktemp("enlarged") / "data", SMALL)


def test_originals_and_copies_train_and_other_copies_validate(few: Cohort, enlarged: Path) -> None:
    train, validation = open_cohort(enlarged, "train"), open_cohort(enlarged, "validation")
    assert len(train) == 3 * (1 + 2)
    assert len(validation) == 3
    assert set(few.names) <= set(train.names)
    assert not set(train.names) & set(validation.names)


def test_a_copy_is_its_subject_deformed(few: Cohort, enlarged: Path) -> None:
    train = open_cohort(enlarged, "train")
    original, labels = train.load(train.names.index(few.names[0]))
    copy, moved = train.load(train.names.index(f"{few.names[0]}_train_01"))
    assert copy.geometry.matches(original.geometry)
    assert 0.5 < dice(labels, moved, [1])[1] < 1
    # Tissue keeps its intensity.
    assert copy.data[moved.data == 1].mean() == pytest.approx(original.data[labels.data == 1].mean(), rel=0.1)


def test_another_subject_more_changes_no_copy(few: Cohort, enlarged: Path, tmp_path: Path) -> None:
    alone = open_cohort(enlarge(Cohort(few.subjects[1:2]), tmp_path / "alone", SMALL), "train")
    train = open_cohort(enlarged, "train")
    name = f"{few.names[1]}_train_02"
    first, again = train.load(train.names.index(name)), alone.load(alone.names.index(name))
    np.testing.assert_array_equal(first[0].data, again[0].data)
    np.testing.assert_array_equal(first[1].data, again[1].data)


def test_the_card_says_what_the_cohort_is(enlarged: Path, tmp_path: Path) -> None:
    note = card_note(enlarged)
    assert "3 subjects made into a cohort by 2 deformed copies of each" in note
    assert "diaphragm up to 3 mm" in note
    assert card_note(tmp_path) == ""
    (tmp_path / "enlarged.json").write_text(json.dumps([1]))
    with pytest.raises(DataSetError, match="no record of an enlarged cohort"):
        card_note(tmp_path)


def test_a_folder_in_use_and_values_out_of_range_are_refused(few: Cohort, enlarged: Path) -> None:
    with pytest.raises(DataSetError, match="there already"):
        enlarge(few, enlarged, SMALL)
    with pytest.raises(OptionInvalidError, match="at least one copy"):
        Enlargement(copies=0)
    with pytest.raises(OptionInvalidError, match="steepness and chest"):
        Enlargement(steepness=1.0)


CHEST = Geometry.from_spacing((32, 24, 40), (10.0, 10.0, 10.0))


def chest_labels() -> Segmentation:
    x, y, z = np.moveaxis(CHEST.to_world(CHEST.voxel_grid()), -1, 0)
    lungs = (np.abs(np.abs(x) - 70) < 45) & (np.abs(y) < 70) & (z > -90) & (z < 110)
    return Segmentation(np.where(lungs, np.where(x > 0, 1, 2), 0).astype(np.uint16), CHEST)


def test_a_breath_in_lowers_the_base_widens_the_chest_and_leaves_the_apex() -> None:
    breath = Respiration(base=-90, apex=110, centre=(0.0, 0.0), diaphragm=-20, chest=(0.04, 0.08))
    apex, base, wall = breath.displacement(np.array([[0.0, 0.0, 120.0], [0.0, 0.0, -90.0], [100.0, 50.0, -90.0]]))
    # A pull-back: what is now at the base came from 20 mm above.
    assert apex == pytest.approx([0, 0, 0])
    assert base == pytest.approx([0, 0, 20])
    assert wall == pytest.approx([-4, -4, 20])


def test_no_copy_folds_and_lungs_grow_and_shrink() -> None:
    labels = chest_labels()
    volumes = []
    for seed in range(6):
        field = random_copy_field(np.random.default_rng(seed), labels, Enlargement())
        jacobian = jacobian_determinant(field)
        assert jacobian.min() > 0.2
        volumes.append(1 / float(jacobian[labels.data > 0].mean()))
    assert min(volumes) < 0.95
    assert max(volumes) > 1.05


def test_organs_that_do_not_breathe_get_smooth_deformations_alone() -> None:
    still = Enlargement(diaphragm_mm=0, chest=0, steepness=0)
    assert np.abs(random_copy_field(np.random.default_rng(0), chest_labels(), still).displacement).max() == 0
    empty = Segmentation(np.zeros(CHEST.shape, np.uint16), CHEST)
    with pytest.raises(DataSetError, match="empty segmentation"):
        random_copy_field(np.random.default_rng(0), empty, Enlargement())
    assert isinstance(random_copy_field(np.random.default_rng(0), empty, Enlargement(2, 1, 0, 0)), DisplacementField)


def test_motions_that_would_fold_are_refused() -> None:
    with pytest.raises(OptionInvalidError, match="would fold"):
        Respiration(base=0, apex=50, centre=(0, 0), diaphragm=40, chest=(0, 0))
    with pytest.raises(OptionInvalidError, match="must lie above"):
        Respiration(base=0, apex=0, centre=(0, 0), diaphragm=1, chest=(0, 0))
