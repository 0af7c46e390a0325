"""The benchmarks by name."""

from __future__ import annotations

from bench import (
    any_resolution,
    ask,
    continuous_batching,
    deformable_attention,
    detection_loss,
    florence_pictures,
    florence_tower,
    hundred_regions,
    levels,
    mask_points,
    painted_regions,
    painting,
    prefill,
    reading,
    region_levels,
    sampler,
    second_question,
    soft_mask,
    studio,
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
        detection_loss.BENCHMARK,
        deformable_attention.ONE_LEVEL,
        deformable_attention.FOUR_LEVELS,
        region_levels.BENCHMARK,
        second_question.BENCHMARK,
        *continuous_batching.BENCHMARKS,
        florence_tower.DECODER,
        florence_tower.PROMPTS,
        florence_pictures.FEATURES,
        florence_pictures.PREPARATION,
        hundred_regions.BENCHMARK,
        studio.BENCHMARK,
    )
}
