import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from eigenwarp.errors import OptionInvalidError
from tests.training.shared_gradient import gradient
from training.processes import Processes

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


def test_whole_cycles_are_shared_out_without_overlap() -> None:
    parts = [Processes(rank, 2, CPU).share(12, 3) for rank in range(2)]
    assert parts == [slice(0, 6), slice(6, 12)]
    assert Processes(0, 1, CPU).share(12, 3) == slice(0, 12)


@pytest.mark.parametrize(("batch", "cycle", "count"), [(4, 4, 2), (6, 2, 2), (8, 4, 3)])
def test_cycles_that_cannot_be_shared_evenly_are_refused(batch: int, cycle: int, count: int) -> None:
    with pytest.raises(OptionInvalidError, match=f"{batch // cycle} cycles of {cycle} cannot be shared by {count}"):
        Processes(0, count, CPU).share(batch, cycle)


def test_the_first_alone_writes() -> None:
    assert Processes(0, 2, CPU).first
    assert not Processes(1, 2, CPU).first


def test_without_a_launcher_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert Processes.from_environment() == Processes.alone()
    assert Processes.alone().count == 1


def test_two_processes_compute_the_gradient_of_one(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    common |= {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    path = tmp_path / "gradient.safetensors"
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.shared_gradient", str(path)],
            cwd=ROOT,
            env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in started:
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    finally:
        for process in started:
            process.kill()
            process.wait()
    together, alone = load_file(path), gradient(Processes(0, 1, CPU))
    assert together.keys() == alone.keys()
    largest = max(value.abs().max().item() for value in alone.values())
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, rtol=1e-3, atol=1e-5 * largest, msg=name)
