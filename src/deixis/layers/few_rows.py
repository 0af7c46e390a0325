"""Linear layers that are quick with few rows, as a decoder has them when it writes.

On a CPU, float32 products of few rows with a large matrix are as slow as reading the matrix is, if the kernel
is good at it. torch takes MKL's. oneDNN's, which torch has too, was 1.0 to 2.4 times as fast up to 64 rows,
slower from 128 on (two threads of an AMD EPYC with AVX2; 1,024 x 1,024 to 1,024 x 32,000 weights). With
256 x 256 it takes twice as long, and by one thread 1,024 x 1,024 gain nothing: there MKL's stays.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEW = 64  # rows
LARGE = 1 << 20  # weights


def known() -> bool:
    """Return whether the installed torch has oneDNN's product."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


class FewRowsLinear(nn.Linear):
    """A linear layer that takes oneDNN's product where that is faster: float32 on a CPU, no gradients."""

    def forward(self, input: Tensor) -> Tensor:
        """input (..., in_features); returns (..., out_features)."""
        plain = (
            input.device.type != "cpu"
            or input.dtype != torch.float32
            or self.weight.dtype != torch.float32
            or input.numel() > FEW * self.in_features
            or not input.numel()
            or self.weight.numel() < LARGE
            or torch.get_num_threads() == 1
            or torch.is_grad_enabled()
        )
        if plain:
            return super().forward(input)
        product: Tensor = torch.ops.mkldnn._linear_pointwise(input, self.weight, self.bias, "none", [], "")
        return product


def quicken(module: nn.Module) -> None:
    """Let the plain linear layers of a module, itself included, be quick with few rows.

    Weights, their names and what is learnt stay as they are; results differ by rounding.
    """
    if not known():
        return
    for part in module.modules():
        if type(part) is nn.Linear:
            part.__class__ = FewRowsLinear
