"""The tower: sizes, strides, padding as TensorFlow does it, norms on stored statistics."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.towers.efficientnet_lite import (
    HEAD_CHANNELS,
    SIZES,
    ConvNorm,
    InvertedResidual,
    build_tower,
    convolve_same,
    round_channels,
)

STRIDES = (8, 16, 32, 32, 4)


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize(
    ("name", "channels", "blocks", "parameters"),
    [
        ("efficientnet_lite0", [40, 112, 320], [1, 2, 2, 3, 3, 4, 1], 3_371_008),
        ("efficientnet_lite1", [40, 112, 320], [1, 3, 3, 4, 4, 5, 1], 4_135_680),
        ("efficientnet_lite2", [48, 120, 352], [1, 3, 3, 4, 4, 5, 1], 4_811_072),
        ("efficientnet_tiny", [16, 32, 80], [1, 1, 1, 1, 1, 2, 1], 225_824),
    ],
)
def test_members_of_the_family(name: str, channels: list[int], blocks: list[int], parameters: int) -> None:
    tower = build_tower(name)
    assert tower.channels == [*channels, HEAD_CHANNELS]
    assert [len(stage) for stage in tower.stages if isinstance(stage, nn.Sequential)] == blocks
    # Published sizes (4.65, 5.42, 6.09 million) include the classifier's 1,281,000, which we leave out.
    assert sum(parameter.numel() for parameter in tower.parameters()) == parameters


@pytest.mark.parametrize("name", SIZES)
def test_all_sizes_return_four_maps_and_the_early_one(name: str) -> None:
    tower = build_tower(name).eval()
    taps = tower(torch.rand(2, 3, 64, 64))
    channels = [*tower.channels, tower.early_channels]
    expected = [(2, c, 64 // s, 64 // s) for c, s in zip(channels, STRIDES, strict=True)]
    assert [tuple(tap.shape) for tap in taps] == expected


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (96, 32), (50, 70), (33, 65), (1, 1)])
def test_any_size_of_picture_has_maps_of_its_strides(height: int, width: int) -> None:
    taps = build_tower("efficientnet_tiny")(torch.rand(1, 3, height, width))
    expected = [(math.ceil(height / stride), math.ceil(width / stride)) for stride in STRIDES]
    assert [tuple(tap.shape[-2:]) for tap in taps] == expected
    assert all(torch.isfinite(tap).all() for tap in taps)


def test_an_unknown_tower_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'resnet' is not known; known towers: efficientnet_lite0, .*tiny"):
        build_tower("resnet")


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 9), (8, 9), (7, 12), (1, 3)])
@pytest.mark.parametrize("groups", [1, 4])
def test_convolve_same_is_explicit_padding(
    kernel: int, stride: int, height: int, width: int, groups: int
) -> None:
    x = torch.randn(2, 4, height, width, dtype=torch.float64)
    weight = torch.randn(8, 4 // groups, kernel, kernel, dtype=torch.float64)
    bias = torch.randn(8, dtype=torch.float64)
    rows, columns = math.ceil(height / stride), math.ceil(width / stride)
    # A canvas large enough for every window, the picture on it with the smaller half of the surplus before.
    high, wide = (rows - 1) * stride + kernel, (columns - 1) * stride + kernel
    top, left = max(high - height, 0) // 2, max(wide - width, 0) // 2
    canvas = torch.zeros(2, 4, max(high, height), max(wide, width), dtype=torch.float64)
    canvas[:, :, top : top + height, left : left + width] = x
    expected = functional.conv2d(canvas, weight, bias, stride, groups=groups)
    ours = convolve_same(x, weight, bias, stride=stride, groups=groups)
    assert ours.shape == (2, 8, rows, columns)
    torch.testing.assert_close(ours, expected[:, :, :rows, :columns])


def test_the_odd_pixel_goes_right_and_below() -> None:
    x = torch.arange(1.0, 5).reshape(1, 1, 1, 4).expand(1, 1, 4, 4)
    ours = convolve_same(x, torch.ones(1, 1, 3, 3), torch.zeros(1), stride=2, groups=1)
    assert ours[0, 0, 0].tolist() == [3 * (1 + 2 + 3), 3 * (3 + 4)]
    assert ours[0, 0, 1].tolist() == [2 * (1 + 2 + 3), 2 * (3 + 4)]


def with_statistics(layer: ConvNorm) -> ConvNorm:
    """The layer with a norm that has seen something."""
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    norm.weight.normal_()
    norm.bias.normal_()
    return layer


@pytest.mark.parametrize("act", [True, False])
def test_a_folded_norm_is_the_norm(act: bool) -> None:
    layer = with_statistics(ConvNorm(6, 6, kernel=3, stride=1, groups=6, act=act)).double()
    x = torch.randn(2, 6, 5, 5, dtype=torch.float64)
    plain = layer.norm.eval()(functional.conv2d(x, layer.conv.weight, padding=1, groups=6))
    torch.testing.assert_close(layer(x), plain.clamp(0, 6) if act else plain)


def test_training_does_not_move_the_statistics() -> None:
    tower = build_tower("efficientnet_tiny").train()
    before = {key: value.clone() for key, value in tower.state_dict().items()}
    batch = torch.rand(3, 3, 64, 64)
    together, alone = tower(batch), tower(batch[:1])
    assert all(torch.equal(value, before[key]) for key, value in tower.state_dict().items())
    for several, single in zip(together, alone, strict=True):
        torch.testing.assert_close(several[:1], single, rtol=1e-4, atol=1e-5)


def test_gradients_reach_kernels_scales_and_shifts() -> None:
    tower = build_tower("efficientnet_tiny")
    with torch.enable_grad():
        torch.stack([tap.square().mean() for tap in tower(torch.rand(2, 3, 64, 64))]).sum().backward()
    assert not [name for name, p in tower.named_parameters() if p.grad is None or not p.grad.isfinite().all()]


@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "residual"), [(8, 8, 1, True), (8, 8, 2, False), (8, 16, 1, False)]
)
def test_the_input_is_added_where_shapes_allow(
    inputs: int, outputs: int, stride: int, residual: bool
) -> None:
    block = InvertedResidual(inputs, outputs, kernel=3, stride=stride, expansion=6)
    x = torch.randn(1, inputs, 6, 6)
    assert block.residual is residual
    torch.testing.assert_close(block(x), block.parts(x) + x if residual else block.parts(x))


@pytest.mark.parametrize(
    ("channels", "rounded"),
    [
        (32, 32),
        (17.6, 16),
        (26.4, 24),
        (44.0, 48),
        (88, 88),
        (123.2, 120),
        (352, 352),
        (4, 8),
        (12, 16),
        (1, 8),
    ],
)
def test_round_channels(channels: float, rounded: int) -> None:
    assert round_channels(channels) == rounded
    assert rounded >= 0.9 * channels
