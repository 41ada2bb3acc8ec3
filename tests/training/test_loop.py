import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.cohorts import NOTHING, SHAPE, balls, small_config
from training.config import OptimiserConfig
from training.loop import draw_batch, learning_rate, train
from training.processes import Processes

ALONE = Processes(0, 1, torch.device("cpu"))


def test_a_constant_schedule_stays() -> None:
    config = OptimiserConfig(learning_rate=0.3, steps=10)
    assert {learning_rate(config, step) for step in range(10)} == {0.3}


def test_a_cosine_schedule_warms_up_and_falls_to_nearly_nothing() -> None:
    config = OptimiserConfig(learning_rate=1.0, schedule="cosine", warmup_steps=10, steps=100)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[50] == pytest.approx(0.5)
    assert max(rates) < 1
    assert 0 < rates[-1] < 1e-3


def test_no_warm_up_starts_at_the_full_rate() -> None:
    config = OptimiserConfig(learning_rate=1.0, schedule="cosine", warmup_steps=0, steps=100)
    assert learning_rate(config, 0) == 1


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    config, cohort = small_config(), balls()
    images, labels = draw_batch(config, cohort, 5, ALONE)
    torch.rand(3)
    again, _ = draw_batch(config, cohort, 5, ALONE)
    assert torch.equal(images, again)
    assert images.shape == (4, 1, *SHAPE)
    assert labels.shape == (4, 2, *SHAPE)
    assert not torch.equal(images, draw_batch(config, cohort, 6, ALONE)[0])
    assert not torch.equal(images, draw_batch(small_config(seed=1), cohort, 5, ALONE)[0])


def test_a_batch_holds_different_subjects_and_every_subject_has_its_turn() -> None:
    config, cohort = replace(small_config(), augmentation=NOTHING), balls()
    seen: set[int] = set()
    for step in range(12):
        images, _ = draw_batch(config, cohort, step, ALONE)
        distances = (images[:, None] - cohort.images[None]).abs().amax(dim=(2, 3, 4, 5))
        subjects = distances.argmin(dim=1).tolist()
        assert distances.amin(dim=1).max() < 1e-4
        assert len(set(subjects)) == 4
        seen |= set(subjects)
    assert seen == set(range(6))


def test_a_batch_larger_than_the_cohort_takes_everyone_before_anyone_again() -> None:
    config = replace(small_config(optimiser={"batch": 8}), augmentation=NOTHING)
    cohort = balls(3)
    images, _ = draw_batch(config, cohort, 0, ALONE)
    subjects = (images[:, None] - cohort.images[None]).abs().amax(dim=(2, 3, 4, 5)).argmin(dim=1)
    assert sorted(subjects.bincount().tolist()) == [2, 3, 3]


def test_processes_share_the_batch_of_one() -> None:
    config, cohort = small_config(), balls()
    whole, _ = draw_batch(config, cohort, 3, ALONE)
    parts = [draw_batch(config, cohort, 3, Processes(rank, 2, torch.device("cpu")))[0] for rank in range(2)]
    assert torch.equal(whole, torch.cat(parts))


def test_augmentation_grows_to_its_strength() -> None:
    config = small_config(augmentation={"rampup": 1.0}, optimiser={"steps": 1000})
    unchanged = replace(config, augmentation=NOTHING)
    cohort = balls()

    def change(step: int) -> float:
        return (
            (draw_batch(config, cohort, step, ALONE)[0] - draw_batch(unchanged, cohort, step, ALONE)[0])
            .abs()
            .mean()
            .item()
        )

    assert change(0) < 0.02 * change(999)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_resumed_run_repeats_the_straight_one_to_the_bit(precision: str, tmp_path: Path) -> None:
    config = small_config(
        precision=precision,
        optimiser={
            "name": "adamw",
            "schedule": "cosine",
            "warmup_steps": 2,
            "weight_decay": 1e-2,
            "gradient_clip": 1.0,
        },
    )
    cohort, held_out = balls(), balls(3, seed=1)
    train(config, cohort, held_out, tmp_path / "straight", processes=ALONE, stop_at=4)
    assert train(config, cohort, held_out, tmp_path / "resumed", processes=ALONE, stop_at=2).step == 2
    torch.rand(5)
    assert train(config, cohort, held_out, tmp_path / "resumed", processes=ALONE, stop_at=4).step == 4
    straight, resumed = (load_file(tmp_path / name / "last.safetensors") for name in ("straight", "resumed"))
    assert straight.keys() == resumed.keys()
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name


def test_a_run_learns_and_leaves_its_log_and_its_best_checkpoint(tmp_path: Path) -> None:
    config = small_config(
        optimiser={"learning_rate": 5e-3, "steps": 60, "name": "adamw", "schedule": "cosine", "warmup_steps": 5},
        evaluate_every=30,
    )
    figures: list[dict[str, float]] = []
    progress = train(config, balls(8), balls(4, seed=1), tmp_path, processes=ALONE, report=figures.append)
    losses = [figure["loss"] for figure in figures]
    assert sum(losses[-8:]) < 0.8 * sum(losses[:8])
    measured = figures[-1]
    assert measured["validation_dice"] > measured["validation_initial_dice"] + 0.03
    assert measured["validation_dice"] <= progress.best_dice
    assert progress.step == 60
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == list(range(1, 61))
    assert {line["step"] for line in log if "validation_dice" in line} == {30, 60}
    assert (tmp_path / "best.safetensors").is_file()
    assert not any(name.startswith("optimiser.") for name in load_file(tmp_path / "best.safetensors"))


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    config = small_config(optimiser={"steps": 1})
    train(config, balls(), balls(3), tmp_path, processes=ALONE)
    before = load_file(tmp_path / "last.safetensors")
    assert train(config, balls(), balls(3), tmp_path, processes=ALONE).step == 1
    assert all(torch.equal(value, before[name]) for name, value in load_file(tmp_path / "last.safetensors").items())
