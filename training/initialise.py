"""Starting a network from another's weights."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from eigenwarp.errors import BundleInvalidError
from eigenwarp.model.bundle import load_bundle
from training.checkpoint import read_config


def start_from(network: torch.nn.Module, path: Path) -> None:
    """Take over every parameter that a checkpoint, or a bundle's folder, has under the same name.

    A convolution that reads more channels than the checkpoint's, as a decoder with skips does, gets zeros for the
    others: the network computes what the other one did until training says otherwise. What the checkpoint lacks keeps
    its own start.

    Raises:
        BundleInvalidError: neither a checkpoint nor a bundle of ours, or a parameter of another shape than that.
    """
    source = load_bundle(path).network.state_dict() if path.is_dir() else _checkpoint_weights(path)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            given = source.get(name)
            if given is None:
                continue
            if given.shape == parameter.shape:
                parameter.copy_(given)
            elif _reads_more_channels(parameter.shape, given.shape):
                parameter.zero_()
                parameter[:, : given.shape[1]] = given
            else:
                raise BundleInvalidError(
                    f"{path}: {name} has shape {tuple(given.shape)}, the network's is {tuple(parameter.shape)}"
                )


def describe_start(path: Path) -> str:
    """What a run started from, for its record: never a path.

    Raises:
        BundleInvalidError: neither a checkpoint nor a bundle of ours.
    """
    if path.is_dir():
        bundle = load_bundle(path)
        return f"{bundle.name} {bundle.version}, {bundle.manifest.provenance.steps} steps"
    config, progress = read_config(path)
    return f"{config.name}, {progress.step} steps"


def _checkpoint_weights(path: Path) -> dict[str, Tensor]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise BundleInvalidError(f"{path} is not a checkpoint: {error}") from error
    source = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    if not source:
        raise BundleInvalidError(f"{path} holds no network")
    return source


def _reads_more_channels(shape: torch.Size, given: torch.Size) -> bool:
    return len(shape) == len(given) and shape[0] == given[0] and shape[2:] == given[2:] and shape[1] > given[1]
