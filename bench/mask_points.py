"""512 points of a mask that covers a full-HD picture: drawn, against listing and permuting every pixel."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.memory import PeakMemory

BENCHMARK = Benchmark(
    name="mask_points",
    what="512 points drawn from a mask of all 1920 x 1080 pixels",
    given={"width": 1920, "height": 1080, "count": 512, "seed": 0},
    sides=(
        Side("runs and a draw", "bench.mask_points:drawn"),
        Side("every pixel listed and permuted", "bench.mask_points:permuted"),
    ),
    goals=(
        Goal(
            "time of runs and a draw, over every pixel",
            side="runs and a draw",
            over="every pixel listed and permuted",
            at_most=0.1,
        ),
    ),
)


def drawn(given: dict[str, Any]) -> dict[str, Any]:
    """Time ``draw_points`` on a dense mask (H, W)."""
    import numpy as np

    from deixis.layers.regions.point_draws import draw_points
    from deixis.regions.pixels import RegionPixels

    mask = np.ones((given["height"], given["width"]), dtype=bool)
    return timed(given, lambda: draw_points(RegionPixels.from_mask(mask), count=given["count"]))


def permuted(given: dict[str, Any]) -> dict[str, Any]:
    """Time taking the first of a permutation of all pixels of a mask that is (W, H) already."""
    import torch

    mask = torch.ones(given["width"], given["height"], dtype=torch.bool)
    size = torch.tensor([given["width"], given["height"]])

    def work() -> torch.Tensor:
        pixels = mask.nonzero() / size
        return pixels[torch.randperm(len(pixels))[: given["count"]]]

    return timed(given, work)


def timed(given: dict[str, Any], work: Callable[[], Any]) -> dict[str, Any]:
    """Return the times of one side, after one run that doesn't count, and what is sure of any draw."""
    import torch

    torch.manual_seed(given["seed"])
    work()
    memory, seconds = PeakMemory(), []
    for _ in range(given["repeats"]):
        started = time.perf_counter()
        points = work()
        seconds.append(time.perf_counter() - started)
    peaks = memory.read()
    pixels = points * torch.tensor([given["width"], given["height"]])
    numbers = {(round(x), round(y)) for x, y in pixels.tolist()}
    values = {
        "shape": list(points.shape),
        "dtype": str(points.dtype),
        "different pixels": len(numbers),
        "in the picture": all(0 <= x < given["width"] and 0 <= y < given["height"] for x, y in numbers),
        "whole pixels": bool((pixels - pixels.round()).abs().max() < 1e-3),
    }
    return {"seconds": seconds, "values": values, **peaks}
