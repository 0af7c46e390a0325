"""The visual sampler at the size of a 7B model: factorised, against the same thing computed pair by pair."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.memory import PeakMemory

COUNTS = (1, 4, 16, 64)
LEAST_SPEEDUP = {1: 8.0, 4: 6.5, 16: 8.0, 64: 7.0}
PICTURE = (640, 480)


def name(form: str, count: int) -> str:
    """Return what a side is called."""
    return f"{form}, {count} region{'s' * (count > 1)}"


BENCHMARK = Benchmark(
    name="sampler",
    what="regions of one picture to vectors: width 1024 to 4096, 24 x 24 map, 512 points, 24 neighbours",
    given={"width": 1024, "out_width": 4096, "grid": 24, "seed": 0},
    sides=tuple(
        Side(name(form, count), f"bench.sampler:{form.replace(' ', '_')}", given={"regions": count})
        for count in COUNTS
        for form in ("factorised", "pair by pair")
    ),
    goals=tuple(
        goal
        for count in COUNTS
        for goal in (
            Goal(
                f"time of {name('factorised', count)}, over pair by pair",
                side=name("factorised", count),
                over=name("pair by pair", count),
                at_most=1 / LEAST_SPEEDUP[count],
            ),
            Goal(
                f"peak memory of {name('factorised', count)}, over pair by pair",
                side=name("factorised", count),
                over=name("pair by pair", count),
                measure="peak_above_loaded_bytes",
                at_most=1.0,
            ),
        )
    ),
    tolerance=3e-6,  # of values from 1 to 3, of which outputs span at most 2: within 1e-5 of the largest
)


def factorised(given: dict[str, Any]) -> dict[str, Any]:
    """Time the module."""
    return timed(given, lambda sampler, maps, drawn: sampler(maps, drawn))


def pair_by_pair(given: dict[str, Any]) -> dict[str, Any]:
    """Time the literal formulation with the same weights."""
    from bench.literal_sampler import literal_regions

    return timed(given, literal_regions)


def timed(given: dict[str, Any], compute: Callable[..., Any]) -> dict[str, Any]:
    """Return the times of one form, after one run that doesn't count, and its outputs scaled to 1..3."""
    import torch

    from deixis.layers.regions.point_draws import DrawnRegions
    from deixis.layers.regions.visual_sampler import VisualSampler
    from deixis.regions.pixels import RegionPixels

    torch.manual_seed(given["seed"])
    sampler = VisualSampler(width=given["width"], out_width=given["out_width"]).eval()
    cells = torch.randn(given["grid"] ** 2, given["width"])  # row by row, as an encoder gives them
    maps = [cells.t().unflatten(1, (given["grid"], given["grid"]))]
    boxes = [box(number) for number in range(given["regions"])]
    width, height = PICTURE
    drawn = DrawnRegions.draw([[RegionPixels.rectangle(*each, width=width, height=height) for each in boxes]])
    memory, seconds = PeakMemory(), []
    with torch.inference_mode():
        for _ in range(given["repeats"] + 1):
            started = time.perf_counter()
            vectors = compute(sampler, maps, drawn)
            seconds.append(time.perf_counter() - started)
        peaks = memory.read()
    scale = 2.0 ** math.ceil(math.log2(float(vectors.abs().max())))
    values = (vectors / scale + 2).flatten().tolist()
    return {"seconds": seconds[1:], "values": values, "items": given["regions"], **peaks}


def box(number: int) -> tuple[int, int, int, int]:
    """Return a box in the picture: the whole picture first, then ever other places and sizes."""
    width, height = PICTURE
    if number == 0:
        return 0, 0, width, height
    wide, high = 40 + number * 97 % 400, 30 + number * 61 % 300
    left, top = number * 131 % (width - wide), number * 89 % (height - high)
    return left, top, left + wide, top + high
