"""Seconds of a training step with each trick on and off."""

import time
from collections.abc import Callable
from contextlib import nullcontext

import torch

from benchmarks.interleave import interleave
from benchmarks.machine import finish
from benchmarks.report import Cell, Column, Table, median, median_ratio
from benchmarks.training_setup import StepSetup, Trick
from benchmarks.undone import pooled_box_filter, with_library_norms
from eigenwarp.model import RegistrationNetwork
from eigenwarp.volume import Shape
from training.data.cohort import Cohort
from training.loop import build_optimiser, draw_batch
from training.objective import Objective
from training.processes import Processes
from training.tensors import PreparedCohort, prepare_cohort

SUBJECTS = 8

COLUMNS = (
    Column(name="trick"),
    Column(name="on, s"),
    Column(name="off, s"),
    Column(name="off / on"),
)


class TrainingStep:
    """The loop's step on an untrained network: batch, losses, gradients, update.

    Args:
        setup: how.
        cohort: prepared on the setup's grid.
    """

    def __init__(self, setup: StepSetup, cohort: PreparedCohort, device: torch.device) -> None:
        config = setup.config
        torch.manual_seed(config.seed)
        network = RegistrationNetwork(config.architecture)
        if setup.library_norm:
            with_library_norms(network)
        layout = torch.channels_last_3d if setup.channels_last else torch.contiguous_format
        network.to(device, memory_format=layout)  # type: ignore[call-overload]  # torch declares 4-D formats only
        self.setup, self.cohort = setup, cohort
        self.processes = Processes(0, 1, device)
        self.network = network.train()
        self.objective = Objective(network, config)
        self.optimiser = build_optimiser(network, config.optimiser, fused=setup.fused)
        self.step = 0
        self.loss = float("nan")

    def __call__(self) -> float:
        """Make one step; its seconds."""
        config = self.setup.config
        started = time.perf_counter()
        images, labels = draw_batch(config, self.cohort, self.step, self.processes)
        self.optimiser.zero_grad(set_to_none=True)
        with pooled_box_filter() if self.setup.pooled_box else nullcontext():
            total = self.objective(images, labels).total(config.loss)
            total.backward()
        if config.optimiser.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.optimiser.gradient_clip)
        self.optimiser.step()
        self.loss = float(total.detach())
        finish(self.processes.device)
        self.step += 1
        return time.perf_counter() - started


def measure_training_step(
    cohort: Cohort,
    chosen: list[Trick],
    device: torch.device,
    rounds: int = 5,
    budget_seconds: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Measure every setup that the tricks name, each once, interleaved."""
    setups = {setup.name: setup for trick in chosen for setup in (trick.on, trick.off)}
    few = Cohort(cohort.subjects[:SUBJECTS])
    prepared: dict[Shape, PreparedCohort] = {}
    for setup in setups.values():
        config = setup.config
        if config.preprocessing.shape not in prepared:
            labels = tuple(config.labels.values())
            prepared[config.preprocessing.shape] = prepare_cohort(few, config.preprocessing, labels)
    steps = {
        name: TrainingStep(setup, prepared[setup.config.preprocessing.shape], device) for name, setup in setups.items()
    }
    seconds = interleave(steps, rounds, budget_seconds, progress=progress)
    rows: list[tuple[Cell, ...]] = []
    for trick in chosen:
        on, off = seconds[trick.on.name], seconds[trick.off.name]
        rows.append((trick.name, median(on), median(off), median_ratio(off, on)))
    config = chosen[0].on.config
    return Table(
        title="Training step",
        note=(
            f"Preset {config.name}, batch {config.optimiser.batch} in cycles of {config.optimiser.cycle}, both "
            "directions, drawing and augmenting the batch included. One trick changed at a time; medians "
            f"over interleaved rounds ({len(on)}), ratios within rounds."
        ),
        columns=COLUMNS,
        rows=tuple(rows),
    )
