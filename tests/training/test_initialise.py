from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from eigenwarp.errors import BundleInvalidError
from eigenwarp.model import RegistrationNetwork, Skips
from eigenwarp.model.bundle import load_bundle
from tests.model.networks import random_volumes, small_network
from tests.tiny_bundle import write_tiny_bundle
from tests.training.cohorts import small_config
from training.checkpoint import Progress, save_checkpoint
from training.initialise import describe_start, start_from


def written(network: RegistrationNetwork, path: Path) -> Path:
    save_checkpoint(path, network, None, small_config(), Progress())
    return path


@pytest.mark.parametrize("norm", ["none", "instance"])
@pytest.mark.parametrize("skips", [Skips.COARSE, Skips.SUBTRACTED])
def test_a_network_with_skips_computes_what_its_start_did(norm: str, skips: Skips, tmp_path: Path) -> None:
    source = small_network(seed=0, decoder_norm=norm)
    network = small_network(seed=1, decoder_norm=norm, skips=skips)
    moving, fixed = random_volumes(2).split(1)
    with torch.no_grad():
        expected, before = source(moving, fixed), network(moving, fixed)
        start_from(network, written(source, tmp_path / "start.safetensors"))
        after = network(moving, fixed)
    assert expected.forward.abs().max() > 0.05
    for a, b, c in zip(expected, before, after, strict=True):
        assert (a - b).abs().max() > 1e-2
        torch.testing.assert_close(c, a, rtol=0, atol=1e-3)


def test_the_skips_can_still_learn(tmp_path: Path) -> None:
    network = small_network(seed=1, skips=Skips.COARSE)
    start_from(network, written(small_network(), tmp_path / "start.safetensors"))
    network.train()
    moving, fixed = random_volumes(2).split(1)
    network(moving, fixed).forward.square().sum().backward()
    # The channels read from the skips are zero, but their weights' gradient is not.
    learning = [
        parameter
        for name, parameter in network.named_parameters()
        if name.startswith("decoder.") and parameter.dim() == 5 and (parameter == 0).any(dim=(0, 2, 3, 4)).any()
    ]
    assert learning
    for parameter in learning:
        added = (parameter == 0).flatten(2).all(dim=2).all(dim=0)
        assert parameter.grad is not None
        assert parameter.grad[:, added].abs().max() > 0


def test_the_same_architecture_takes_over_everything(tmp_path: Path) -> None:
    source, network = small_network(seed=0, segmentation_classes=2), small_network(seed=1, segmentation_classes=2)
    start_from(network, written(source, tmp_path / "start.safetensors"))
    for name, value in source.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name


def test_what_the_checkpoint_lacks_keeps_its_own_start(tmp_path: Path) -> None:
    network = small_network(seed=1, segmentation_classes=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start_from(network, written(small_network(seed=0), tmp_path / "start.safetensors"))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("segmentation_head.") or value.dim() == 1, name


@pytest.mark.parametrize("change", [{"channels": [6, 8]}, {"channels": [4, 6]}, {"latent_channels": 4}])
def test_parameters_of_another_shape_are_refused_by_name(change: dict[str, object], tmp_path: Path) -> None:
    path = written(small_network(), tmp_path / "start.safetensors")
    network = small_network(**change)  # type: ignore[arg-type]
    with pytest.raises(BundleInvalidError, match=r"start\.safetensors: (encoder|decoder)\..* has shape"):
        start_from(network, path)


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BundleInvalidError, match=r"start\.safetensors"):
        start_from(small_network(), path)


def test_a_bundle_gives_its_weights_and_says_what_it_is(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny"))
    network = RegistrationNetwork(bundle.network.architecture)
    start_from(network, tmp_path / "tiny")
    for name, value in bundle.network.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name
    assert describe_start(tmp_path / "tiny") == f"tiny {bundle.version}, {bundle.manifest.provenance.steps} steps"


def test_a_checkpoint_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    save_checkpoint(path, small_network(), None, small_config(), Progress(step=12))
    assert describe_start(path) == f"{small_config().name}, 12 steps"


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalidError):
        start_from(small_network(), tmp_path)


def test_a_file_without_a_networks_parameters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    written(small_network(), path)
    save_file({name.removeprefix("network."): value for name, value in load_file(path).items()}, path)
    with pytest.raises(BundleInvalidError, match=r"start\.safetensors"):
        start_from(small_network(), path)
