"""Averaged weights: what is saved and evaluated is a slow mean of what is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AveragedWeights:
    """An exponential moving average of every floating tensor of a network's state."""

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        self.decay = decay
        self.state: dict[str, Tensor] = {
            name: tensor.detach().clone() for name, tensor in network.state_dict().items()
        }

    @torch.no_grad()
    def update(self, network: nn.Module, *, step: int) -> None:
        """Move the average towards the network; early steps count more, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                self.state[name].lerp_(tensor.detach(), 1 - decay)
            else:
                self.state[name].copy_(tensor)
