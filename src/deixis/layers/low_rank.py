"""Low-rank adapters of linear maps (LoRA; Hu et al., 2022), added to the weights when training is over."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.few_rows import FewRowsLinear


class LowRankLinear(nn.Linear):
    """A linear map plus ``scale / rank`` times the product of two narrow ones.

    weight (O, I) and bias (O,) are those of the map that it stands for, shared with it, and keep their names;
    lora_down (rank, I) starts at random, lora_up (O, rank) at 0: to begin with, nothing changes.
    """

    def __init__(self, linear: nn.Linear, *, rank: int, scale: float, chance: torch.Generator) -> None:
        super().__init__(linear.in_features, linear.out_features, bias=False, device="meta")
        self.weight, self.bias = linear.weight, linear.bias
        self.factor = scale / rank
        bound = 1 / math.sqrt(linear.in_features)
        drawn = torch.empty(rank, linear.in_features).uniform_(-bound, bound, generator=chance)
        self.lora_down = nn.Parameter(drawn.to(linear.weight))
        self.lora_up = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))

    def forward(self, values: Tensor) -> Tensor:
        """Return values (..., O) of values (..., I)."""
        narrow = functional.linear(values, self.lora_down)  # (..., rank)
        return super().forward(values) + functional.linear(narrow, self.lora_up) * self.factor

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return an ordinary linear map that does the same; it has the old one's parameters, changed."""
        linear = nn.Linear(self.in_features, self.out_features, bias=False, device="meta")
        self.weight += (self.lora_up.float() @ self.lora_down.float() * self.factor).to(self.weight.dtype)
        linear.weight, linear.bias = self.weight, self.bias
        return linear.train(self.training)


def add_adapters(
    network: nn.Module, *, parts: Sequence[str], rank: int, scale: float, seed: int
) -> list[str]:
    """Give adapters to all linear maps whose names begin with one of ``parts``; return these names.

    The same seed draws the same adapters, whatever was drawn before.
    """
    chance = torch.Generator().manual_seed(seed)
    found = [
        name
        for name, module in network.named_modules()
        if type(module) in (nn.Linear, FewRowsLinear) and any(name.startswith(part) for part in parts)
    ]
    for name in found:
        linear = network.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        replace(network, name, LowRankLinear(linear, rank=rank, scale=scale, chance=chance))
    return found


def merge_adapters(network: nn.Module) -> None:
    """Add all adapters of a network to the weights that they stand beside, and take them away."""
    for name, module in list(network.named_modules()):
        if isinstance(module, LowRankLinear):
            replace(network, name, module.merged())


def replace(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module where another one is."""
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, module)
