"""What a run is measured on, and how many of its cores everything may use."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from eigenwarp.model.precision import has_fast_bfloat16


def limit_threads(threads: int) -> None:
    """Give torch and the ITK programs the same number of threads; before ITK is first imported."""
    torch.set_num_threads(threads)
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(threads)


def finish(device: torch.device) -> None:
    """Wait for what the device still computes, so that a clock may be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def installed(distribution: str) -> str | None:
    """The version of an optional program, None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def describe(device: torch.device, threads: int) -> dict[str, str]:
    """Device, threads, versions, commit and how busy the machine was when the run began."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "device": name,
        "bfloat16 in hardware": "yes" if has_fast_bfloat16(device) else "no",
        "threads": f"{threads} of {os.cpu_count()}",
        "load at the start": busy,
        "torch": torch.__version__,
        "commit": _commit(),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
