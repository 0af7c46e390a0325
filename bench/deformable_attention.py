"""Deformable attention in plain torch: ours against that of ``transformers``, on the same tensors."""

from __future__ import annotations

from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

OURS, LIBRARY = "this project", "transformers"
GIVEN = {"pictures": 2, "heads": 8, "width": 32, "points": 4, "seed": 0}
ONE, FOUR = ((32, 32),), ((64, 64), (32, 32), (16, 16), (8, 8))


def benchmark(name: str, what: str, shapes: tuple[tuple[int, int], ...], queries: int) -> Benchmark:
    """Return a benchmark of so many queries about maps of these shapes."""
    return Benchmark(
        name=name,
        what=f"deformable attention forward and backward, 2 pictures, 8 heads x 32, 4 points, {what}",
        given={**GIVEN, "shapes": [list(one) for one in shapes], "queries": queries},
        sides=(
            Side(OURS, "bench.deformable_attention:ours"),
            Side(LIBRARY, "bench.deformable_attention:library"),
        ),
        goals=(Goal("time", OURS, 1.0, over=LIBRARY),),
        tolerance=1e-4,
    )


ONE_LEVEL = benchmark("deformable_attention", "one level of 32 x 32, 1,024 queries", ONE, 1024)
FOUR_LEVELS = benchmark("deformable_attention_four_levels", "four levels, 5,440 queries", FOUR, 5440)


def ours(given: dict[str, Any]) -> dict[str, Any]:
    """Time the function of this project."""
    from deixis.layers.proposals.deformable_attention import sample_levels

    value, shapes, locations, weights = prepared(given)
    return timed(given, lambda: sample_levels(value, shapes, locations, weights), (value, locations, weights))


def library(given: dict[str, Any]) -> dict[str, Any]:
    """Time the plain function of ``transformers``."""
    import torch
    from transformers.models.deformable_detr.modeling_deformable_detr import MultiScaleDeformableAttention

    value, shapes, locations, weights = prepared(given)
    sizes = torch.tensor(shapes)
    starts = torch.cat([sizes.new_zeros(1), sizes.prod(dim=1).cumsum(0)[:-1]])
    attention = MultiScaleDeformableAttention()
    return timed(
        given,
        lambda: attention(value, sizes, shapes, starts, locations, weights, 64),
        (value, locations, weights),
    )


def timed(given: dict[str, Any], work: Any, tensors: tuple[Any, ...]) -> dict[str, Any]:
    """Return the times of a forward with its backward, and a few numbers of both."""

    def both() -> Any:
        for tensor in tensors:
            tensor.grad = None
        made = work()
        made.square().mean().backward()
        return made

    made, times = repeated(given, both)
    values = [made, *(tensor.grad for tensor in tensors)]
    return {**times, "values": [float(one.detach().double().abs().mean()) for one in values]}


def prepared(given: dict[str, Any]) -> tuple[Any, ...]:
    """Return values, shapes, locations and weights."""
    import torch

    random = torch.Generator().manual_seed(given["seed"])
    shapes = [tuple(one) for one in given["shapes"]]
    cells, levels = sum(high * wide for high, wide in shapes), len(shapes)
    batch, heads, points, queries = (given[name] for name in ("pictures", "heads", "points", "queries"))
    value = torch.randn(batch, cells, heads, given["width"], generator=random).requires_grad_()
    locations = torch.rand(batch, queries, heads, levels, points, 2, generator=random) * 1.2 - 0.1
    weights = torch.rand(batch, queries, heads, levels, points, generator=random)
    weights = weights / weights.sum(dim=(-1, -2), keepdim=True)
    return value, shapes, locations.requires_grad_(), weights.requires_grad_()
