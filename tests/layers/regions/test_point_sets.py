"""Farthest points and neighbours, against plain loops over points."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from deixis.layers.regions import point_sets
from deixis.layers.regions.point_sets import (
    choose_point_sets,
    farthest_points,
    nearest_points,
    squared_distances,
)


def random_points(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def plain_farthest(points: Tensor, count: int, start: int) -> list[int]:
    """One region's farthest points, the first of equals."""
    chosen = [start]
    while len(chosen) < count:
        nearest = [min(float(((p - points[c]) ** 2).sum()) for c in chosen) for p in points]
        chosen.append(nearest.index(max(nearest)))
    return chosen


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 14), st.integers(0, 9), st.booleans())
def test_each_point_is_the_farthest_from_those_before(regions: int, n: int, seed: int, lattice: bool) -> None:
    points = random_points(regions, n, 2, seed=seed)
    if lattice:  # many equal distances and equal points
        points = (points * 4).floor() / 4
    start = torch.randint(0, n, (regions,), generator=torch.Generator().manual_seed(seed))
    chosen = farthest_points(points, count=n, start=start)
    for region in range(regions):
        assert chosen[region].tolist() == plain_farthest(points[region], n, int(start[region]))


def test_when_all_points_are_used_up_the_first_one_is_repeated() -> None:
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]])
    assert farthest_points(points, count=5, start=torch.tensor([2])).tolist() == [[2, 0, 0, 0, 0]]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(2, 14), st.integers(0, 9))
def test_neighbours_are_the_nearest(regions: int, n: int, seed: int) -> None:
    points, anchors = random_points(regions, n, 2, seed=seed), random_points(regions, 4, 2, seed=seed + 1)
    chosen = nearest_points(anchors, points, count=n // 2)
    exact = (anchors[:, :, None] - points[:, None]).double().square().sum(dim=-1)
    found = exact.gather(2, chosen).sort(dim=-1).values
    torch.testing.assert_close(found, exact.sort(dim=-1).values[..., : n // 2], rtol=0, atol=1e-6)
    assert all(len(set(row)) == n // 2 for row in chosen.flatten(0, 1).tolist())
    torch.testing.assert_close(squared_distances(anchors, points), exact.float(), rtol=0, atol=1e-6)


def test_regions_are_handled_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    points, anchors = random_points(7, 30, 2), random_points(7, 5, 2, seed=1)
    whole = nearest_points(anchors, points, count=6)
    monkeypatch.setattr(point_sets, "MOST_DISTANCES", 2 * 5 * 30)
    torch.testing.assert_close(
        nearest_points(anchors, points, count=6).sort().values, whole.sort().values, rtol=0, atol=0
    )


def test_each_stage_chooses_among_the_anchors_before() -> None:
    points = random_points(2, 40, 2)
    starts = torch.tensor([[3, 39], [0, 9]])
    first, second = choose_point_sets(points, starts, anchors=(10, 4), neighbours=(5, 3))
    assert first.anchors[:, 0].tolist() == [3, 39]
    assert (first.anchors.shape, first.neighbours.shape) == ((2, 10), (2, 10, 5))
    assert (second.anchors.shape, second.neighbours.shape) == ((2, 4), (2, 4, 3))
    kept = points.gather(1, first.anchors[..., None].expand(-1, -1, 2))
    again = choose_point_sets(kept, starts[1:], anchors=(4,), neighbours=(3,))
    assert torch.equal(again[0].anchors, second.anchors)
    assert torch.equal(again[0].neighbours, second.neighbours)


def test_an_anchor_is_among_its_own_neighbours() -> None:
    sets = choose_point_sets(
        random_points(3, 50, 2), torch.tensor([[0, 1, 2]]), anchors=(20,), neighbours=(4,)
    )
    assert (sets[0].neighbours == sets[0].anchors[..., None]).any(dim=-1).all()


def test_mixed_precision_around_it_changes_nothing() -> None:
    points, starts = random_points(2, 60, 2), torch.tensor([[3, 39]])
    plain = choose_point_sets(points, starts, anchors=(30,), neighbours=(8,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = choose_point_sets(points, starts, anchors=(30,), neighbours=(8,))
    assert torch.equal(plain[0].neighbours.sort().values, mixed[0].neighbours.sort().values)
