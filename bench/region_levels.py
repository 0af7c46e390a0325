"""Groma's region encoder for 100 boxes: all together, against one by one; both fuse the levels once."""

from __future__ import annotations

from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

TOGETHER, APART = "all boxes together", "box by box"
BENCHMARK = Benchmark(
    name="region_levels",
    what="region encoder for 100 boxes at 64 channels, 14 x 14 samples of three levels",
    given={"boxes": 100, "channels": 64, "cells": 32, "seed": 0},
    sides=(
        Side(TOGETHER, "bench.region_levels:together"),
        Side(APART, "bench.region_levels:apart"),
    ),
    goals=(Goal("time", TOGETHER, 1.0, over=APART),),
    tolerance=1e-4,
)


def together(given: dict[str, Any]) -> dict[str, Any]:
    """Time the encoder as it is used."""
    return timed(given, lambda encoder, maps, boxes: encoder(maps, [boxes]))


def apart(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same encoder for each box alone."""
    import torch

    return timed(
        given,
        lambda encoder, maps, boxes: torch.cat([encoder(maps, [one]) for one in boxes.split(1)]),
    )


def timed(given: dict[str, Any], encode: Any) -> dict[str, Any]:
    """Return the times of fusing once and encoding all boxes, and a few numbers of their vectors."""
    import torch

    from deixis.layers.region_levels.region_encoder import LevelRegionEncoder, RegionEncoderSize

    torch.manual_seed(given["seed"])
    size = RegionEncoderSize(hidden=256, position_hidden=64)
    encoder = LevelRegionEncoder(given["channels"], 256, size).eval()
    states = [torch.randn(1, given["cells"] ** 2, given["channels"]) for _ in range(3)]
    boxes = torch.rand(given["boxes"], 4) * 0.5 + 0.2
    with torch.inference_mode():
        made, times = repeated(given, lambda: encode(encoder, encoder.fuse(states), boxes))
    return {**times, "items": given["boxes"], "values": [float(one) for one in made.double().abs().mean(1)]}
