"""Ferret's visual sampler as its paper describes it, pair by pair: what the factorised form is compared with.

Takes the weights of a ``VisualSampler`` and has to pass the same golden cases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.point_sets import PointSet
from deixis.layers.regions.visual_sampler import VisualSampler

Tell = Callable[[str, Tensor], None]


def literal_regions(
    sampler: VisualSampler,
    maps: Sequence[Tensor],
    drawn: DrawnRegions,
    *,
    chosen: Sequence[PointSet] | None = None,
    tell: Tell | None = None,
) -> Tensor:
    """Return (R, out_width), computed from every pair of an anchor and a neighbour.

    chosen: the points of each stage, if not to be chosen here. tell: called with names and values on the way:
    "point_features" (R, P, D), for stage i "stage{i}_diff" (R, A, K, D + 2), "stage{i}_agg" (R, A, D, K) and
    "stage{i}_features" (R, A, D), at last "flatten" (R, D).
    """
    note = tell or (lambda name, value: None)
    precision = sampler.working_dtype()
    transposed = sampler.point_order == "transposed"
    features = torch.stack(
        [
            read(maps[int(picture)], points, transposed=transposed)
            for points, picture in zip(drawn.points, drawn.pictures, strict=True)
        ]
    ).to(precision)  # (R, P, D)
    note("point_features", features)
    points = drawn.points.to(precision if transposed else torch.float32)
    for stage, (project, pool) in enumerate(sampler.stages()):
        given = None if chosen is None else chosen[stage]
        anchors = (
            farthest(points, sampler.size.anchors[stage], drawn.starts[stage])
            if given is None
            else given.anchors
        )
        places = rows(points, anchors)  # (R, A, 2)
        near = nearest(places, points, sampler.size.neighbours[stage]) if given is None else given.neighbours
        z = torch.cat([features, points.to(precision)], dim=-1)  # (R, N, D + 2)
        of_anchors = rows(z, anchors)[:, :, None].expand(-1, -1, near.shape[-1], -1)  # (R, A, K, D + 2)
        of_neighbours = rows(z, near.flatten(1)).unflatten(1, near.shape[1:])
        difference = project(of_neighbours - of_anchors)
        note(f"stage{stage}_diff", difference)
        both = torch.cat([difference, of_anchors], dim=-1)  # (R, A, K, 2 (D + 2))
        del difference, of_neighbours
        active = pool.net(both.flatten(0, 1).transpose(1, 2)).relu()  # (R A, D, K)
        active = active.transpose(1, 2).unflatten(0, near.shape[:2])  # (R, A, K, D)
        del both
        normalised = pool.norm(active)  # (R, A, K, D)
        note(f"stage{stage}_agg", normalised.transpose(2, 3))
        features = normalised.amax(dim=2) if pool.pooling == "max" else normalised.mean(dim=2)  # (R, A, D)
        note(f"stage{stage}_features", features)
        points = places
    flat = sampler.flatten_projector(features.flatten(1))
    note("flatten", flat)
    return sampler.dim_projector(flat)


def read(features: Tensor, points: Tensor, *, transposed: bool) -> Tensor:
    """Return (P, D): a map (D, H, W) read at points (P, 2) by torch's own bilinear sampling."""
    if transposed:
        points = points.flip(-1).to(features.dtype)
    grid = (points.float() * 2 - 1)[None, None]  # (1, 1, P, 2)
    return functional.grid_sample(features.float()[None], grid, align_corners=True)[0, :, 0].t()


def rows(values: Tensor, chosen: Tensor) -> Tensor:
    """Return (R, A, D): of values (R, N, D) the rows with the numbers (R, A)."""
    return values[torch.arange(len(values))[:, None], chosen]


def farthest(points: Tensor, count: int, start: Tensor) -> Tensor:
    """Return (R, count): each point the farthest from those before, of equals the first."""
    region = torch.arange(len(points))
    nearest_so_far = torch.full(points.shape[:2], 1e10)
    chosen, current = [], start.long()
    for _ in range(count):
        chosen.append(current)
        distance = ((points - points[region, current][:, None]) ** 2).sum(dim=-1)
        nearest_so_far = torch.minimum(nearest_so_far, distance.float())
        current = nearest_so_far.argmax(dim=-1)
    return torch.stack(chosen, dim=1)


def nearest(anchors: Tensor, points: Tensor, count: int) -> Tensor:
    """Return (R, A, count): the points nearest to each anchor by -2ab + a² + b²."""
    distances = -2 * anchors @ points.transpose(1, 2)
    distances = distances + (anchors**2).sum(dim=-1)[..., None] + (points**2).sum(dim=-1)[:, None]
    return distances.topk(count, largest=False, sorted=False).indices
