"""How many threads compute."""

import os

import torch


def use_all_cores() -> None:
    """As many as this process may use, which in a container are fewer than the machine has, unless OMP_NUM_THREADS says
    otherwise."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
