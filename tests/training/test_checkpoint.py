import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from eigenwarp.errors import BundleInvalidError
from eigenwarp.model import RegistrationNetwork
from tests.training.cohorts import small_config
from training.checkpoint import Progress, load_checkpoint, read_config, save_checkpoint
from training.loop import build_optimiser


def saved(path: Path) -> RegistrationNetwork:
    config = small_config()
    network = RegistrationNetwork(config.architecture)
    optimiser = build_optimiser(network, config.optimiser, fused=True)
    network.encode(torch.rand(1, 1, 16, 16, 16)).sum().backward()
    optimiser.step()
    save_checkpoint(path, network, optimiser, config, Progress(3, 1.5, 0.25))
    return network


def test_a_checkpoint_gives_back_weights_configuration_and_progress(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "last.safetensors"
    network = saved(path)
    again = RegistrationNetwork(small_config().architecture)
    config, progress = load_checkpoint(path, again)
    assert config == small_config()
    assert progress == Progress(3, 1.5, 0.25)
    assert (config, progress) == read_config(path)
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert [p.name for p in path.parent.iterdir()] == ["last.safetensors"]


def test_the_optimisers_state_comes_back_in_the_layout_of_its_parameters(tmp_path: Path) -> None:
    config, path = small_config(), tmp_path / "last.safetensors"
    network = RegistrationNetwork(config.architecture).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    optimiser = build_optimiser(network, config.optimiser, fused=True)
    network.encode(torch.rand(1, 1, 16, 16, 16)).square().sum().backward()
    optimiser.step()
    save_checkpoint(path, network, optimiser, config, Progress(1))
    again = RegistrationNetwork(config.architecture).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    restored = build_optimiser(again, config.optimiser, fused=True)
    load_checkpoint(path, again, restored)
    assert len(optimiser.state) == len(restored.state) > 0
    for trained, parameter in zip(network.parameters(), again.parameters(), strict=True):
        # The decoder had no gradient and so has no state.
        if trained not in optimiser.state:
            continue
        a, b = optimiser.state[trained], restored.state[parameter]
        assert a["step"] == b["step"]
        for name in ("exp_avg", "exp_avg_sq"):
            assert torch.equal(a[name], b[name])
            # The fused update walks parameter and averages in memory order.
            assert b[name].stride() == parameter.stride(), name


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\xff" * 64, pickle.dumps({"format": 1})])
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    path.write_bytes(content)
    with pytest.raises(BundleInvalidError, match=r"last\.safetensors is not a checkpoint"):
        load_checkpoint(path, RegistrationNetwork(small_config().architecture))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalidError, match=r"none\.safetensors"):
        read_config(tmp_path / "none.safetensors")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    saved(path)
    whole = path.read_bytes()
    for length in (7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BundleInvalidError):
            read_config(path)


@pytest.mark.parametrize("version", [None, "0", "2"])
def test_tensors_without_our_format_are_refused(version: str | None, tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    save_file({"network.x": torch.zeros(1)}, path, {"format": version} if version else None)
    with pytest.raises(BundleInvalidError, match="checkpoint format"):
        read_config(path)


def test_metadata_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    good = {"format": "1", "config": json.dumps(small_config().to_dict()), "progress": "{}"}
    for change in ({"config": "{"}, {"progress": '{"steps": 1}'}, {"progress": "[]"}, {"config": "[]"}):
        save_file({"network.x": torch.zeros(1)}, path, good | change)
        with pytest.raises(BundleInvalidError):
            read_config(path)
    save_file({"network.x": torch.zeros(1)}, path, {"format": "1"})
    with pytest.raises(BundleInvalidError):
        read_config(path)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    saved(path)
    other = small_config(architecture={"channels": [4, 12]})
    with pytest.raises(BundleInvalidError, match="another architecture"):
        load_checkpoint(path, RegistrationNetwork(other.architecture))
