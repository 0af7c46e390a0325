"""The benchmarks by name."""

from __future__ import annotations

from bench import (
    any_resolution,
    ask,
    levels,
    mask_points,
    painted_regions,
    painting,
    prefill,
    reading,
    sampler,
    soft_mask,
    training,
)
from bench.benchmark import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        ask.BENCHMARK,
        training.BENCHMARK,
        soft_mask.BENCHMARK,
        sampler.BENCHMARK,
        mask_points.BENCHMARK,
        any_resolution.BENCHMARK,
        reading.BENCHMARK,
        painting.REGIONS,
        painting.SCRIBBLE,
        levels.BENCHMARK,
        prefill.BENCHMARK,
        painted_regions.BENCHMARK,
    )
}
