"""Checks of an opened network's buffers, in memory where nothing is zero by chance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel


@contextmanager
def empty_memory_of_nan() -> Iterator[None]:
    """Let memory that nothing was written to hold NaN, or the largest whole number."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        assert torch.utils.deterministic.fill_uninitialized_memory and torch.empty(3).isnan().all()
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def buffers_by_kind(network: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the buffers that are stored, and those that aren't."""
    stored = network.state_dict().keys()
    every = dict(network.named_buffers(remove_duplicate=False))
    return (
        {name: buffer for name, buffer in every.items() if name in stored},
        {name: buffer for name, buffer in every.items() if name not in stored},
    )


def as_made(network: PreTrainedModel, folder: Path) -> int:
    """Check all buffers of an opened network, and return how many are not stored."""
    stored, unstored = buffers_by_kind(network)
    file = load_file(folder / "model.safetensors")
    for name, buffer in stored.items():
        assert torch.equal(buffer, file[name].to(buffer.dtype)), name
    fresh = buffers_by_kind(type(network)(network.config))[1]
    assert unstored.keys() == fresh.keys()
    for name, buffer in unstored.items():
        assert buffer.device.type == "cpu" and torch.equal(buffer, fresh[name].to(buffer.dtype)), name
    return len(unstored)
