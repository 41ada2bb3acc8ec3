"""The training loop, straight through."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor
from torch.nn.parallel import DistributedDataParallel

from eigenwarp.model import RegistrationNetwork
from training.augmentation import augment
from training.checkpoint import Progress, load_checkpoint, save_checkpoint
from training.config import OptimiserConfig, TrainingConfig
from training.initialise import start_from
from training.losses import LossTerms
from training.objective import Objective
from training.processes import Processes
from training.tensors import PreparedCohort
from training.validation import Validation, validate

Report = Callable[[dict[str, float]], None]
# 2³² over the golden ratio: the steps of nearby seeds lie far apart.
SEED_STRIDE = 0x9E3779B1


def train(
    config: TrainingConfig,
    cohort: PreparedCohort,
    validation: PreparedCohort,
    run: Path,
    *,
    processes: Processes | None = None,
    report: Report = lambda _: None,
    stop_at: int | None = None,
    initial: Path | None = None,
) -> Progress:
    """Train a registration network, or go on where the run's folder stopped.

    Args:
        run: folder of ``last.safetensors``, ``best.safetensors`` and ``log.jsonl``.
        processes: this process's place among those that train together; alone by default.
        report: called after every step with the figures of that step.
        stop_at: steps after which to leave (the schedule still runs to ``optimiser.steps``).
        initial: a checkpoint whose weights a new run starts from.

    Returns:
        Where the run stands.
    """
    processes = processes or Processes.alone()
    device, classes, last = processes.device, len(config.labels), run / "last.safetensors"
    torch.manual_seed(config.seed)
    network = RegistrationNetwork(config.architecture).to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    optimiser = build_optimiser(network, config.optimiser, fused=True)
    run.mkdir(parents=True, exist_ok=True)
    progress = Progress()
    if last.exists():
        _, progress = load_checkpoint(last, network, optimiser)
    elif initial is not None:
        start_from(network, initial)
    objective: torch.nn.Module = Objective(network, config)
    if processes.count > 1:
        objective = DistributedDataParallel(objective)
    while progress.step < min(config.optimiser.steps, stop_at or config.optimiser.steps):
        started = time.perf_counter()
        images, labels = draw_batch(config, cohort, progress.step, processes)
        rate = learning_rate(config.optimiser, progress.step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        terms: LossTerms = objective(images, labels)
        total = terms.total(config.loss)
        total.backward()
        if config.optimiser.gradient_clip:
            torch.nn.utils.clip_grad_norm_(network.parameters(), config.optimiser.gradient_clip)
        optimiser.step()
        progress = progress.after(1, time.perf_counter() - started)
        figures = {"step": progress.step, "seconds": progress.seconds, "learning_rate": rate, "loss": total.item()}
        figures |= {name: value.item() for name, value in terms._asdict().items()}
        if progress.step % config.evaluate_every == 0 or progress.step == config.optimiser.steps:
            measured = validate(network, validation, classes)
            figures |= {f"validation_{name}": value for name, value in measured._asdict().items()}
            if processes.first:
                progress = keep(run, network, optimiser, config, progress, measured)
        if processes.first:
            append_log(run, figures)
        report(figures)
    if processes.first:
        save_checkpoint(last, network, optimiser, config, progress)
    return progress


def draw_batch(
    config: TrainingConfig, cohort: PreparedCohort, step: int, processes: Processes
) -> tuple[Tensor, Tensor]:
    """This process's part of a step's batch: different subjects at random, augmented.

    Drawn from (seed, step) alone, the same whatever the number of processes.

    Returns:
        Images (B, 1, X, Y, Z) and one-hot labels (B, C, X, Y, Z).
    """
    # The generator heeds 32 bits of its seed, so the run's is spread over them rather than put above them.
    generator = Generator().manual_seed((config.seed * SEED_STRIDE + step) % 2**32)
    optimiser = config.optimiser
    chosen = torch.cat(
        [torch.randperm(len(cohort), generator=generator) for _ in range(1 + optimiser.batch // len(cohort))]
    )
    index = chosen[: optimiser.batch]
    ramp = config.augmentation.rampup * optimiser.steps
    images, labels = augment(
        cohort.images[index],
        cohort.one_hot(index, len(config.labels)),
        config.augmentation,
        generator,
        strength=min(1.0, (step + 1) / ramp) if ramp else 1.0,
    )
    mine = processes.share(optimiser.batch, optimiser.cycle)
    return images[mine].to(processes.device), labels[mine].to(processes.device)


def build_optimiser(network: torch.nn.Module, config: OptimiserConfig, *, fused: bool) -> torch.optim.Optimizer:
    """Adam or AdamW; ``fused`` updates all parameters in one pass."""
    kind = torch.optim.Adam if config.name == "adam" else torch.optim.AdamW
    return kind(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)


def learning_rate(config: OptimiserConfig, step: int) -> float:
    """Of a step, counted from 0."""
    if config.schedule == "constant":
        return config.learning_rate
    warmup = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    return config.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * step / config.steps))


def keep(
    run: Path,
    network: RegistrationNetwork,
    optimiser: torch.optim.Optimizer,
    config: TrainingConfig,
    progress: Progress,
    measured: Validation,
) -> Progress:
    """Write the last checkpoint, and the best one where the validation Dice has not been reached before."""
    better = measured.dice > progress.best_dice
    if better:
        progress = Progress(progress.step, progress.seconds, measured.dice)
    save_checkpoint(run / "last.safetensors", network, optimiser, config, progress)
    if better:
        save_checkpoint(run / "best.safetensors", network, None, config, progress)
    return progress


def append_log(run: Path, figures: dict[str, float]) -> None:
    """One JSON object a line in ``log.jsonl``."""
    with (run / "log.jsonl").open("a") as log:
        log.write(json.dumps({name: round(value, 6) for name, value in figures.items()}) + "\n")
