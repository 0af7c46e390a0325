"""Several processes, one run: started by torchrun, they add up their gradients."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from deixis.devices import choose_device
from deixis.errors import UsageError


@dataclass(frozen=True)
class World:
    """Which process this is, among how many, and where it computes."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the run's files and prints."""
        return self.rank == 0

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over all processes; one that is missing here counts as zero."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)

    def sum_counts(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Return counts of the same names, added up over all processes."""
        return {name: int(value) for name, value in self.summed(counts, dtype=torch.int64).items()}

    def sum_values(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return numbers of the same names, added up over all processes."""
        exact = torch.float64 if self.device.type == "cpu" else torch.float32
        return self.summed(values, dtype=exact)

    def summed(self, values: Mapping[str, float], *, dtype: torch.dtype) -> dict[str, float]:
        """Return numbers added up over all processes, which must name them alike."""
        if self.size == 1:
            return dict(values)
        together: Tensor = torch.tensor(list(values.values()), dtype=dtype, device=self.device)
        distributed.all_reduce(together)
        return dict(zip(values, together.tolist(), strict=True))

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.size > 1:
            distributed.barrier()

    def close(self) -> None:
        """Leave the group of processes."""
        if self.size > 1:
            distributed.destroy_process_group()


def join_world(device: str = "auto") -> World:
    """Return the world that torchrun describes in the environment; alone if it doesn't.

    device: "cpu", "cuda", "mps", or "auto" for the first of cuda, mps and cpu that is there. Of several GPUs
    each process takes its own. Raises UsageError for a device that is missing or can't be shared.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    chosen = choose_device(device, local=int(os.environ.get("LOCAL_RANK", "0")))
    if size > 1:
        if chosen.type == "mps":
            if device == "mps":
                raise UsageError(f"{size} processes can't share the device mps; train with one, or on cpu")
            chosen = torch.device("cpu")
        if chosen.type == "cuda":
            torch.cuda.set_device(chosen)
        distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return World(rank=rank, size=size, device=chosen)
