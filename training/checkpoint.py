"""Checkpoints of a run: enough to go on exactly where it stopped, and never a pickle."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from eigenwarp.errors import BundleInvalidError, OptionInvalidError
from training.config import TrainingConfig

FORMAT = 1


@dataclass(frozen=True)
class Progress:
    """Where a run stands. What step n draws at random depends on the seed and n alone, so this is all its random state.

    Args:
        step: steps done.
        seconds: spent in them, over all resumptions.
        best_dice: of the validations so far; -1 before the first.
    """

    step: int = 0
    seconds: float = 0.0
    best_dice: float = -1.0

    def after(self, steps: int, seconds: float) -> "Progress":
        return replace(self, step=self.step + steps, seconds=self.seconds + seconds)


def save_checkpoint(
    path: Path,
    network: torch.nn.Module,
    optimiser: torch.optim.Optimizer | None,
    config: TrainingConfig,
    progress: Progress,
) -> None:
    """Write weights, optimiser state, configuration and progress; the file appears whole or not at all."""
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    if optimiser is not None:
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {
                f"optimiser.{index}.{name}": value.contiguous() if value.dim() else value.reshape(1)
                for name, value in state.items()
            }
    metadata = {"format": str(FORMAT), "config": json.dumps(config.to_dict()), "progress": json.dumps(vars(progress))}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata)
    os.replace(partial, path)


def read_config(path: Path) -> tuple[TrainingConfig, Progress]:
    """Configuration and progress of a checkpoint, without its tensors.

    Raises:
        BundleInvalidError: not one of our checkpoints.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BundleInvalidError(f"{path} is not a checkpoint: {error}") from error
    if metadata.get("format") != str(FORMAT):
        raise BundleInvalidError(
            f"{path} has checkpoint format {metadata.get('format')!r}, this release reads {FORMAT}"
        )
    try:
        return TrainingConfig.from_dict(json.loads(metadata["config"])), Progress(**json.loads(metadata["progress"]))
    except (KeyError, TypeError, ValueError, OptionInvalidError) as error:
        raise BundleInvalidError(f"{path} is not a checkpoint: its metadata has {error!r}") from error


def load_checkpoint(
    path: Path, network: torch.nn.Module, optimiser: torch.optim.Optimizer | None = None
) -> tuple[TrainingConfig, Progress]:
    """Fill the network, and the optimiser where one is given, from a checkpoint.

    Raises:
        BundleInvalidError: not one of our checkpoints, or of another architecture.
    """
    config, progress = read_config(path)
    tensors = load_file(path)
    weights = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise BundleInvalidError(f"{path} holds another architecture: {error}") from error
    if optimiser is not None:
        _load_optimiser(optimiser, tensors)
    return config, progress


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = value.reshape(()) if key == "step" else value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    # A file knows no memory layout, and the fused update walks memory: averages must lie as their parameters do.
    for parameter, averages in optimiser.state.items():
        for key, value in averages.items():
            if value.shape == parameter.shape:
                averages[key] = torch.empty_like(parameter).copy_(value)
