from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.field import field_from_model
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.volume.nifti import write_segmentation, write_volume
from tests.tiny_bundle import blob
from training.data.cohort import Cohort, Subject
from training.evaluation import PairMeasurement, centre_alignment, evaluate, measure_field, summarise

MEASURED = PairMeasurement("none", "a", "b", {"head": 0.8, "body": 0.6}, {"head": 1.0, "body": 3.0}, 0.0, 0.1, 1.0)


def cohort(folder: Path, seeds: list[int]) -> Cohort:
    subjects = []
    for place, seed in enumerate(seeds):
        name = f"subject_{place}"
        volume, segmentation = blob(seed)
        image, labels = folder / f"{name}.nii.gz", folder / f"{name}_labels.nii.gz"
        write_volume(volume, image)
        write_segmentation(segmentation, labels)
        subjects.append(Subject(name, image, labels))
    return Cohort(tuple(subjects))


def test_equal_subjects_overlap_whole(model: RegistrationModel, tmp_path: Path) -> None:
    measured = evaluate(model, cohort(tmp_path, [0, 0]), (Refine.NONE,))
    assert [m.method for m in measured] == ["unregistered", "none"] * 2
    for m in measured:
        assert m.dice == {"head": 1, "body": 1}
        assert m.hd95_mm == {"head": 0, "body": 0}
        assert m.folded_share == 0
        assert m.sd_log_jacobian == pytest.approx(0, abs=1e-3)


def test_each_subject_is_registered_onto_the_next_and_the_last_onto_the_first(
    model: RegistrationModel, tmp_path: Path
) -> None:
    seen: list[PairMeasurement] = []
    measured = evaluate(model, cohort(tmp_path, [0, 1, 2]), (Refine.NONE,), progress=seen.append)
    assert seen == measured
    pairs = [(m.moving, m.fixed) for m in measured if m.method == "none"]
    names = ["subject_0", "subject_1", "subject_2"]
    assert pairs == [(names[0], names[1]), (names[1], names[2]), (names[2], names[0])]
    assert all(m.seconds == 0 for m in measured if m.method == "unregistered")
    assert all(m.seconds > 0 for m in measured if m.method == "none")
    assert all(set(m.dice) == {"head", "body"} for m in measured)
    assert all(0 < value < 1 for m in measured for value in m.dice.values())
    # The untrained network moves something, so the two rows of a pair differ.
    assert measured[0].dice != measured[1].dice


def test_methods_left_out_are_not_measured(model: RegistrationModel, tmp_path: Path) -> None:
    measured = evaluate(model, cohort(tmp_path, [0, 1]), ())
    assert {m.method for m in measured} == {"unregistered"}


def test_the_unregistered_pair_lies_voxel_on_voxel(model: RegistrationModel) -> None:
    moving, fixed = blob(0)[0], blob(1)[0]
    np.testing.assert_allclose(centre_alignment(model, moving, fixed).displacement, 0, atol=1e-5)


def test_a_field_that_mirrors_folds_everywhere(model: RegistrationModel) -> None:
    volume, labels = blob(0)
    grid = volume.geometry
    index = np.indices(grid.shape, dtype=np.float32)
    mirrored = np.zeros((*grid.shape, 3), dtype=np.float32)
    mirrored[..., 0] = 15 - 2 * index[0]
    field = field_from_model(mirrored, grid, grid, grid)
    measured = measure_field("mirror", ("a", "a"), labels, labels, field, model.labels, 0.5)
    assert measured.folded_share == 1
    assert measured.method == "mirror"
    assert measured.seconds == 0.5


def test_a_summary_averages_the_labels_first_then_the_pairs() -> None:
    other = replace(
        MEASURED,
        dice={"head": 0.9, "body": 0.9},
        hd95_mm={"head": 0.0, "body": 2.0},
        folded_share=0.02,
        sd_log_jacobian=0.3,
        seconds=9.0,
    )
    third = replace(MEASURED, seconds=2.0)
    (summary,) = summarise([MEASURED, other, third])
    assert summary.method == "none"
    assert summary.pairs == 3
    assert summary.dice == pytest.approx((0.7 + 0.9 + 0.7) / 3)
    assert summary.dice_sd == pytest.approx(np.std([0.7, 0.9, 0.7]))
    assert summary.dice_per_label["head"] == pytest.approx((np.mean([0.8, 0.9, 0.8]), np.std([0.8, 0.9, 0.8])))
    assert summary.hd95_mm == pytest.approx((2 + 1 + 2) / 3)
    assert summary.hd95_sd_mm == pytest.approx(np.std([2, 1, 2]))
    assert summary.folded_share == pytest.approx(0.02 / 3)
    assert summary.sd_log_jacobian == pytest.approx((0.1 + 0.3 + 0.1) / 3)
    # The first registration of a process is slow; a median does not mind it.
    assert summary.seconds == 2


def test_methods_are_summarised_apart_in_their_order() -> None:
    summaries = summarise([replace(MEASURED, method=method) for method in ("unregistered", "field", "unregistered")])
    assert [(s.method, s.pairs) for s in summaries] == [("unregistered", 2), ("field", 1)]
    assert summarise([]) == []


def test_metrics_are_flat_numbers() -> None:
    metrics = summarise([MEASURED])[0].metrics()
    assert metrics["dice"] == pytest.approx(0.7)
    assert metrics["dice_head"] == 0.8
    assert metrics["dice_body_sd"] == 0
    assert metrics["pairs"] == 1
    assert all(type(value) is float for value in metrics.values())
