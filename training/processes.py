"""One process's place among those that train together."""

import os
from dataclasses import dataclass
from typing import Self

import torch
import torch.distributed

from eigenwarp.errors import OptionInvalidError


@dataclass(frozen=True)
class Processes:
    """Rank, number of processes and this one's device.

    Args:
        rank: from 0.
        count: of all processes.
        device: where this one computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    @classmethod
    def alone(cls) -> Self:
        """The only process, on the GPU where there is one."""
        return cls(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))

    @classmethod
    def from_environment(cls) -> Self:
        """As ``torchrun`` has set it; alone where it has not."""
        if "WORLD_SIZE" not in os.environ:
            return cls.alone()
        cuda = torch.cuda.is_available()
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if cuda else "gloo")
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size(), device)

    def share(self, batch: int, cycle: int) -> slice:
        """This process's part of a batch, in whole cycles.

        Raises:
            OptionInvalidError: the cycles cannot be divided evenly.
        """
        if batch // cycle % self.count:
            raise OptionInvalidError(f"{batch // cycle} cycles of {cycle} cannot be shared by {self.count} processes")
        size = batch // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def leave(self) -> None:
        """End the group, once every process has come this far; the one that left first would break the others."""
        if self.count > 1 and torch.distributed.is_initialized():
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()
