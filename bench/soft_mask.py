"""Boxes as weights over a grid: the exact coverage of each cell, against counting samples."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.benchmark import Benchmark, Side
from deixis.regions import Box, Frame
from deixis.regions.raster import fill_polygon
from deixis.regions.soft_mask import soft_mask

CELL = 8  # pixels a cell
BENCHMARK = Benchmark(
    name="soft_mask",
    what="soft masks of 200 boxes on a 24 x 24 grid",
    given={"boxes": 200, "grid": 24, "fineness": 16},
    sides=(
        Side("exact coverage", "bench.soft_mask:exact"),
        Side("16 x 16 samples a cell", "bench.soft_mask:sampled"),
    ),
    tolerance=1e-4,
)


def exact(given: dict[str, Any]) -> dict[str, Any]:
    """Time ``soft_mask``."""
    grid = given["grid"]
    frame = Frame.original(grid * CELL, grid * CELL)
    regions = [Box(*box, frame=frame) for box in boxes(given)]
    return timed(lambda: [soft_mask(region, height=grid, width=grid) for region in regions], given)


def sampled(given: dict[str, Any]) -> dict[str, Any]:
    """Time drawing each box finely and counting the samples of each cell."""
    grid, fineness = given["grid"], given["fineness"]

    def weights(box: tuple[float, ...]) -> NDArray[np.float32]:
        x0, y0, x1, y1 = (edge * fineness / CELL for edge in box)
        drawn = fill_polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], grid * fineness, grid * fineness)
        counts = drawn.reshape(grid, fineness, grid, fineness).sum(axis=(1, 3))
        return (counts / counts.sum()).astype(np.float32)

    return timed(lambda: [weights(box) for box in boxes(given)], given)


def boxes(given: dict[str, Any]) -> list[tuple[float, float, float, float]]:
    """Return boxes x0 y0 x1 y1 in pixels whose edges lie between samples, so that both ways agree."""
    chance = np.random.default_rng(0)
    steps = given["grid"] * given["fineness"]
    edges = np.sort(chance.integers(0, steps - 1, (given["boxes"], 2, 2)), axis=1)
    edges[:, 1] += 1  # at least one sample wide and high
    scaled = edges.reshape(-1, 4) * (CELL / given["fineness"])
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in scaled.tolist()]


def timed(work: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the times of some work, after one run that doesn't count, and a few of its numbers."""
    masks = work()
    seconds = []
    for _ in range(given["repeats"]):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    values = [[float(mask.max()), float((mask**2).sum()), int((mask > 0).sum())] for mask in masks]
    return {"seconds": seconds, "values": values, "items": given["boxes"]}
