"""EfficientNet-Lite: a small convolutional tower whose depths are returned side by side.

The architecture of Tan & Le (2019) in its "Lite" variant: no squeeze-and-excitation, ReLU6, fixed stem
and head. Convolutions pad as TensorFlow does ("same": the odd pixel goes right and below), which the
published ImageNet weights depend on. BatchNorm always uses its stored statistics: batches of a few
dozen pictures would only blur what ImageNet measured, while scale and shift are trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.precision import read_by

STAGES = (
    # kernel, stride, expansion, channels, repeats (width and depth 1.0)
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
TAP_STAGES = (2, 4, 6)  # the last stages at strides 8, 16 and 32
EARLY_STAGE = 1  # the last stage at stride 4


@dataclass(frozen=True)
class TowerSize:
    """Multipliers of one member of the family."""

    width: float
    depth: float


SIZES = {
    "efficientnet_lite0": TowerSize(width=1.0, depth=1.0),
    "efficientnet_lite1": TowerSize(width=1.0, depth=1.1),
    "efficientnet_lite2": TowerSize(width=1.1, depth=1.2),
    # Two blocks a stage at a quarter of the width: for tests, never pretrained.
    "efficientnet_tiny": TowerSize(width=0.25, depth=0.3),
}


def convolve_same(x: Tensor, weight: Tensor, bias: Tensor, *, stride: int, groups: int) -> Tensor:
    """Convolve ``x`` (B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride)).

    The surplus of uneven padding goes right and below.
    """
    kernel = weight.shape[-1]
    if stride == 1:
        return functional.conv2d(x, weight, bias, 1, kernel // 2, 1, groups)
    pads = []
    for size in (x.shape[-1], x.shape[-2]):
        surplus = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads += [surplus // 2, surplus - surplus // 2]
    return functional.conv2d(functional.pad(x, pads), weight, bias, stride, 0, 1, groups)


class ConvNorm(nn.Module):
    """Convolution, BatchNorm on stored statistics, and ReLU6 where asked.

    Scale and shift of the norm are folded into the kernel on every call. That is exact, gradients reach
    kernel, scale and shift alike, and the map is passed over once instead of three times. They are folded in
    float32, and rounded once to what the map is.
    """

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, stride: int, groups: int, act: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)
        self.stride, self.groups, self.act = stride, groups, act

    def forward(self, x: Tensor) -> Tensor:
        norm, kernel = self.norm, self.conv.weight
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight.float() * torch.rsqrt(norm.running_var.float() + norm.eps)
        weight = (kernel.float() * scale[:, None, None, None]).to(kernel.dtype)
        bias = (norm.bias.float() - norm.running_mean.float() * scale).to(kernel.dtype)
        x = convolve_same(x, weight, bias, stride=self.stride, groups=self.groups)
        return functional.relu6(x) if self.act else x


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; the input is added where shapes allow."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        parts = []
        if expansion != 1:
            parts.append(ConvNorm(inputs, hidden, kernel=1, stride=1, groups=1, act=True))
        parts.append(ConvNorm(hidden, hidden, kernel=kernel, stride=stride, groups=hidden, act=True))
        parts.append(ConvNorm(hidden, outputs, kernel=1, stride=1, groups=1, act=False))
        self.parts = nn.Sequential(*parts)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.parts(x) if self.residual else self.parts(x)


class EfficientNetLite(nn.Module):
    """The tower: normalised pixels in, feature maps at strides 8, 16, 32 and the wide head out.

    channels: of those four maps; early_channels: of the map at stride 4.
    """

    mean = 0.498
    std = 0.502

    def __init__(self, size: TowerSize) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM_CHANNELS, kernel=3, stride=2, groups=1, act=True)
        self.stages = nn.ModuleList()
        self.channels: list[int] = []
        self.early_channels = 0
        inputs = STEM_CHANNELS
        for index, (kernel, stride, expansion, channels, repeats) in enumerate(STAGES):
            outputs = round_channels(channels * size.width)
            fixed = index in (0, len(STAGES) - 1)
            blocks = []
            for repeat in range(repeats if fixed else math.ceil(repeats * size.depth)):
                step = stride if repeat == 0 else 1
                blocks.append(
                    InvertedResidual(inputs, outputs, kernel=kernel, stride=step, expansion=expansion)
                )
                inputs = outputs
            self.stages.append(nn.Sequential(*blocks))
            if index in TAP_STAGES:
                self.channels.append(outputs)
            if index == EARLY_STAGE:
                self.early_channels = outputs
        self.head = ConvNorm(inputs, HEAD_CHANNELS, kernel=1, stride=1, groups=1, act=True)
        self.channels.append(HEAD_CHANNELS)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Map pixels (B, 3, S, S) in 0..1 to maps at strides 8, 16, 32, 32 (head) and, last of all, 4."""
        x = self.stem(read_by(self.stem, (pixels - self.mean) / self.std))
        taps, early = [], x
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in TAP_STAGES:
                taps.append(x)
            if index == EARLY_STAGE:
                early = x
        return [*taps, self.head(x), early]


def round_channels(channels: float, *, divisor: int = 8) -> int:
    """Round to a multiple of ``divisor`` without losing more than a tenth (EfficientNet's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def build_tower(name: str) -> EfficientNetLite:
    """Return an untrained tower of the given name.

    >>> build_tower("efficientnet_tiny").channels
    [16, 32, 80, 1280]
    """
    if name not in SIZES:
        raise UsageError(f"tower {name!r} is not known; known towers: {', '.join(SIZES)}")
    return EfficientNetLite(SIZES[name])
