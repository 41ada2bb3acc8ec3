from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.training_setup import StepSetup, tricks
from benchmarks.training_step import TrainingStep, measure_training_step
from eigenwarp.model import Architecture
from eigenwarp.model.architecture import Norm
from eigenwarp.preprocess import Preprocessing
from tests.tiny_bundle import LABELS, SHAPE
from training.config import LossConfig, OptimiserConfig, TrainingConfig, load_config
from training.data.cohort import Cohort, open_cohort
from training.data.synthetic import make_cohort
from training.tensors import prepare_cohort

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return open_cohort(make_cohort(tmp_path_factory.mktemp("cohort") / "blobs", 4, shape=SHAPE))


@pytest.fixture(scope="module")
def config() -> TrainingConfig:
    return TrainingConfig(
        labels=LABELS,
        architecture=Architecture(
            shape=SHAPE, channels=(4, 8), latent_channels=4, full_resolution=False, decoder_norm=Norm.NONE
        ),
        preprocessing=Preprocessing(shape=SHAPE),
        loss=LossConfig(similarity_scale=2, similarity_radius=1),
        optimiser=OptimiserConfig(name="adamw", batch=2, cycle=2, gradient_clip=1.0, learning_rate=1e-3),
    )


def loss_after(setup: StepSetup, cohort: Cohort, steps: int = 2) -> float:
    prepared = prepare_cohort(cohort, setup.config.preprocessing, tuple(LABELS.values()))
    step = TrainingStep(setup, prepared, CPU)
    for _ in range(steps):
        assert step() > 0
    return step.loss


@pytest.mark.parametrize("change", ["channels_last", "fused", "library_norm", "pooled_box"])
def test_a_trick_of_speed_leaves_the_training_as_it_is(change: str, config: TrainingConfig, cohort: Cohort) -> None:
    plain = StepSetup("plain", config)
    flipped: dict[str, bool] = {change: not getattr(plain, change)}
    changed = replace(plain, name="changed", **flipped)  # type: ignore[arg-type]  # only flags are named
    assert loss_after(changed, cohort) == pytest.approx(loss_after(plain, cohort), rel=1e-3)


def test_every_trick_differs_from_its_opposite_in_one_respect() -> None:
    for trick in tricks(load_config("hippocampus")):
        on, off = vars(trick.on), vars(trick.off)
        assert [key for key in on if key != "name" and on[key] != off[key]], trick.name
        assert len([key for key in on if key != "name" and on[key] != off[key]]) == 1, trick.name


def test_a_level_at_full_resolution_keeps_the_bottleneck() -> None:
    config = load_config("hippocampus")
    (trick,) = (trick for trick in tricks(config) if trick.off.name == "full resolution")
    assert trick.off.config.architecture.code_shapes == config.architecture.code_shapes
    assert trick.off.config.architecture.full_resolution


def test_the_table_has_a_row_for_each_trick(config: TrainingConfig, cohort: Cohort) -> None:
    # Without the cube, for whose 64³ voxels a test has no time.
    chosen = [trick for trick in tricks(config) if trick.off.name not in ("64³", "full resolution")]
    table = measure_training_step(cohort, chosen, CPU, rounds=1)
    assert [row[0] for row in table.rows] == [trick.name for trick in chosen]
    assert all(isinstance(cell, float) and cell > 0 for row in table.rows for cell in row[1:])


def test_presets_are_written_with_every_trick_on(tmp_path: Path) -> None:
    config = load_config("hippocampus")
    assert config.precision == "bfloat16"
    assert config.loss.similarity_scale == 2
    assert not config.architecture.full_resolution
