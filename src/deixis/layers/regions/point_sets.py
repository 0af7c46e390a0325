"""Farthest points and nearest neighbours of a region's points: where the visual sampler fuses and pools.

What is chosen depends on the points only, not on features or weights, and is computed on the CPU: on every
device the same. Pixel lattices are full of equal distances, so the arithmetic (order of operations,
precision) decides what is chosen (Ferret, arXiv 2310.07704, section 3; after PointNet++).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FAR = 1e10  # further than any two points: the squared distance before the first one is chosen
MOST_DISTANCES = 4_194_304  # how many distances are held at once; bounds memory, not results


@dataclass(frozen=True)
class PointSet:
    """What one stage chooses among its N points, for R regions.

    anchors: int64 (R, A), the points that stay. neighbours: int64 (R, A, K), the points pooled at each
    anchor, in any order (an anchor is its own neighbour).
    """

    anchors: Tensor
    neighbours: Tensor


def choose_point_sets(
    points: Tensor, starts: Tensor, *, anchors: Sequence[int], neighbours: Sequence[int]
) -> list[PointSet]:
    """Return the choice of every stage; each stage's anchors are the points of the next one.

    points: (R, P, 2), whose dtype is the precision of all distances. starts: int64 (stages, R).
    """
    points = points.detach().cpu()
    chosen = []
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        for start, kept, pooled in zip(starts.cpu(), anchors, neighbours, strict=True):
            farthest = farthest_points(points, count=kept, start=start)
            remaining = rows_of(points, farthest)  # (R, A, 2)
            chosen.append(PointSet(farthest, nearest_points(remaining, points, count=pooled)))
            points = remaining
    return chosen


def rows_of(values: Tensor, chosen: Tensor) -> Tensor:
    """Return (R, A, D): of values (R, N, D) the rows with the numbers int64 (R, A)."""
    return values.gather(1, chosen[..., None].expand(-1, -1, values.shape[-1]))


def farthest_points(points: Tensor, *, count: int, start: Tensor) -> Tensor:
    """Return int64 (R, count): points each farthest from all chosen before it, beginning with ``start`` (R,).

    points: (R, N, 2). Of equally far points the first one is taken; when all distinct points are used up,
    that is point 0 again and again.
    """
    x, y = points[..., 0].contiguous(), points[..., 1].contiguous()  # (R, N)
    nearest = torch.full(x.shape, FAR)
    chosen = torch.empty(len(points), count, dtype=torch.int64)
    current = start.long()[:, None]
    for number in range(count):
        chosen[:, number : number + 1] = current
        across, down = x - x.gather(1, current), y - y.gather(1, current)
        distance = across.mul_(across).add_(down.mul_(down))
        nearest = torch.minimum(nearest, distance.float())
        current = nearest.argmax(dim=1, keepdim=True)
    return chosen


def nearest_points(anchors: Tensor, points: Tensor, *, count: int) -> Tensor:
    """Return int64 (R, A, count): the points (R, N, 2) nearest to each anchor (R, A, 2), in any order."""
    at_once = max(1, MOST_DISTANCES // max(anchors.shape[1] * points.shape[1], 1))
    chosen = [
        squared_distances(some, among).topk(count, dim=-1, largest=False, sorted=False).indices
        for some, among in zip(anchors.split(at_once), points.split(at_once), strict=True)
    ]
    return torch.cat(chosen)


def squared_distances(anchors: Tensor, points: Tensor) -> Tensor:
    """Return (R, A, N): squared distances by the expanded formula, whose rounding decides between equals."""
    products = anchors @ points.transpose(1, 2)  # (R, A, N)
    distances = products.mul_(-2)
    distances += anchors.square().sum(dim=-1)[:, :, None]
    distances += points.square().sum(dim=-1)[:, None, :]
    return distances
