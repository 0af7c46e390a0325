"""The points of regions in golden cases of whole networks: what is stored is fed, our own is compared.

Pixels lie on a lattice full of equal distances, so two right choices may name different points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from deixis.layers.regions.point_draws import DrawnRegions, draw_points
from deixis.layers.regions.point_sets import PointSet, choose_point_sets, squared_distances
from deixis.layers.regions.visual_sampler import VisualSampler
from deixis.regions.pixels import RegionPixels
from deixis.systems.spliced.surplus_regions import with_tokens
from tests.parity.case import Case


def stored_choices(case: Case, *, suffix: str = "") -> list[PointSet]:
    """Return the anchors and neighbours that a case stores for every stage (``fps_idx_0``, ``knn_idx_0``)."""
    stages = 0
    while f"outputs/fps_idx_{stages}{suffix}" in case.golden.tensors:
        stages += 1
    return [
        PointSet(case.fed(f"fps_idx_{stage}{suffix}").long(), case.fed(f"knn_idx_{stage}{suffix}").long())
        for stage in range(stages)
    ]


def settle_choices(
    case: Case, sampler: VisualSampler, drawn: DrawnRegions, choices: Sequence[PointSet], *, suffix: str = ""
) -> None:
    """Compare our choice of every stage, made from the stored one before it, by its distances."""
    size, points = sampler.size, sampler.placed(drawn)
    for stage, (stored, start) in enumerate(zip(choices, drawn.starts, strict=True)):
        kept, pooled = size.anchors[stage], size.neighbours[stage]
        (own,) = choose_point_sets(points, start[None], anchors=[kept], neighbours=[pooled])
        agree = close(gaps(points, own.anchors), gaps(points, stored.anchors))
        case.settle(f"outputs/fps_idx_{stage}{suffix}", agrees=agree, how="the multiset of distances")
        agree = close(reaches(points, own), reaches(points, stored))
        case.settle(f"outputs/knn_idx_{stage}{suffix}", agrees=agree, how="the multiset of distances")
        points = taken(points, stored.anchors)


def in_text(
    vectors: Tensor, owners: Tensor, ids: Tensor, *, token: int, attention_mask: Tensor | None = None
) -> list[Tensor]:
    """Return for each row of ids (B, T) the vectors of its regions (R, D), those with a token only.

    owners (R,): the row of each region. Of surplus regions of a row the first ones have tokens.
    """
    kept = with_tokens(owners, ids, attention_mask, token=token)
    return [vectors[kept & (owners == row)] for row in range(len(ids))]


def sampled_regions(
    case: Case, owners: Tensor, ids: Tensor, *, token: int, suffix: str = ""
) -> tuple[Tensor, Tensor]:
    """Return the numbers of a case's regions that were sampled, and those that its points are stored of.

    owners (R,): the row of each region. Either are all of them, or those that are left once surplus ones are
    removed (ferret_v2.md, 9).
    """
    every = torch.arange(len(owners))
    kept = every[with_tokens(owners, ids, None, token=token)]
    fits = {len(kept): kept, len(every): every}
    sampled = fits[len(case.fed(f"region_features{suffix}"))]
    stored = fits[len(case.input(f"sampled_points{suffix}"))]
    assert len(sampled) <= len(stored), "regions were sampled of which no points are stored"
    return sampled, stored


def compare_points(pixels: RegionPixels, stored: Tensor) -> None:
    """Compare the points (P, 2) stored for a region with our own draw, as far as chance has no part in it."""
    every = draw_points(pixels, count=pixels.count)  # all of them, in order
    if pixels.count <= len(stored):
        assert torch.equal(stored[: pixels.count], every), "few pixels are all there, in order"
    found = (stored[:, None] == every).all(dim=-1).any(dim=1)
    assert found.all(), "a stored point is no pixel of its region"


def pixels_of(mask: Tensor) -> RegionPixels:
    """Return the region of a mask stored [W, H]."""
    return RegionPixels.from_mask(mask.t().numpy() > 0)


def listed_pixels(points: Tensor, *, size: Sequence[int]) -> RegionPixels:
    """Return the region of listed pixels (n, 2), x then y, in a picture of width and height ``size``."""
    width, height = size
    mask = np.zeros((height, width), dtype=bool)
    mask[points[:, 1], points[:, 0]] = True
    return RegionPixels.from_mask(mask)


def taken(points: Tensor, indices: Tensor) -> Tensor:
    """Return the points (R, A, 2) of points (R, N, 2) at indices (R, A)."""
    return points.gather(1, indices[..., None].expand(-1, -1, 2))


def gaps(points: Tensor, anchors: Tensor) -> Tensor:
    """Return each anchor's squared distance to the nearest before it, sorted (R, A - 1)."""
    at = taken(points, anchors).double()
    between = (at[:, :, None] - at[:, None]).square().sum(dim=-1)  # (R, A, A)
    earlier = torch.ones_like(between[0]).tril(-1).bool()
    return between.masked_fill(~earlier, torch.inf).amin(dim=-1)[:, 1:].sort(dim=1).values


def reaches(points: Tensor, chosen: PointSet) -> Tensor:
    """Return the squared distances from anchors to their neighbours, all of a region sorted (R, A * K)."""
    distances = squared_distances(taken(points, chosen.anchors), points).float()
    return distances.gather(2, chosen.neighbours).flatten(1).sort(dim=1).values


def close(first: Tensor, second: Tensor) -> bool:
    """Return whether distances agree but for rounding."""
    return torch.allclose(first, second, rtol=0, atol=2e-6)
