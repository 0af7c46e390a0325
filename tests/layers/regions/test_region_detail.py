"""Regions read in detail: nothing to begin with, then their own box and the one that the map proposes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.regions.region_detail import LEAST, RegionDetail, widened
from deixis.layers.regions.region_encoder import GEOMETRY

CELLS, MAP_WIDTH, HEAD, WIDTH = 8, 6, 10, 12
SIDE = CELLS * STRIDE


def some_map(boxes: Tensor) -> PlaceMap:
    torch.manual_seed(0)
    return PlaceMap(
        fine=torch.randn(1, MAP_WIDTH, CELLS, CELLS),
        middle=torch.randn(1, MAP_WIDTH, CELLS // 2, CELLS // 2),
        coarse=torch.randn(1, MAP_WIDTH, CELLS // 4, CELLS // 4),
        keys=torch.randn(1, MAP_WIDTH, CELLS * CELLS),
        boxes=boxes,
        head=torch.randn(1, HEAD, CELLS // 4, CELLS // 4),
    )


def geometry_of(box: tuple[float, float, float, float]) -> Tensor:
    x0, y0, x1, y1 = (value / SIDE for value in box)
    values = [x0, y0, x1, y1, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
    assert len(values) == GEOMETRY
    return torch.tensor([[values]])


def at(cell: int) -> Tensor:
    mask = torch.zeros(1, 1, CELLS * CELLS)
    mask[..., cell] = 1
    return mask.view(1, 1, CELLS, CELLS)


@pytest.fixture
def detail() -> RegionDetail:
    torch.manual_seed(1)
    return RegionDetail(map_width=MAP_WIDTH, head_width=HEAD, out_width=WIDTH)


def loud(detail: RegionDetail, part: str) -> RegionDetail:
    torch.nn.init.normal_(getattr(detail, part).weight)
    return detail


def test_it_adds_nothing_to_begin_with(detail: RegionDetail) -> None:
    boxes = torch.tensor([[[4.0, 4.0, 40.0, 40.0]]]).expand(1, CELLS * CELLS, 4)
    found = detail(some_map(boxes), at(9), geometry_of((8, 8, 30, 30)))
    assert found.shape == (1, 1, WIDTH) and not found.any()


def test_a_point_is_read_as_the_box_that_its_location_proposes(detail: RegionDetail) -> None:
    loud(detail, "proposed")
    boxes = torch.zeros(1, CELLS * CELLS, 4)
    boxes[:, :32] = torch.tensor([0.0, 0.0, 30.0, 30.0])
    boxes[:, 32:] = torch.tensor([20.0, 20.0, 60.0, 60.0])
    places, point = some_map(boxes), geometry_of((20, 20, 20, 20))
    assert torch.equal(detail(places, at(3), point), detail(places, at(17), point))
    assert not torch.allclose(detail(places, at(3), point), detail(places, at(40), point))
    other = geometry_of((50, 5, 50, 5))
    assert torch.equal(detail(places, at(3), point), detail(places, at(3), other)), "not by its own box"


def test_a_box_is_read_by_its_own_bounds(detail: RegionDetail) -> None:
    loud(detail, "own")
    places = some_map(torch.zeros(1, CELLS * CELLS, 4))
    one, other = geometry_of((0, 0, 30, 30)), geometry_of((10, 10, 60, 60))
    assert torch.equal(detail(places, at(3), one), detail(places, at(40), one))
    assert not torch.allclose(detail(places, at(3), one), detail(places, at(3), other))


def test_no_gradient_reaches_the_proposed_boxes(detail: RegionDetail) -> None:
    loud(detail, "proposed")
    boxes = torch.rand(1, CELLS * CELLS, 4, requires_grad=True)
    detail(some_map(boxes), at(3), geometry_of((0, 0, 30, 30))).sum().backward()
    assert boxes.grad is None or not boxes.grad.any()


@pytest.mark.parametrize(
    "box",
    [(0, 0, 0, 0), (64, 64, 64, 64), (-30, 5, 10, 7), (0, 0, 64, 64), (70, 70, 90, 90), (30, 30, 31, 31)],
)
def test_what_is_looked_at_lies_in_the_picture_and_is_not_too_small(box: tuple[float, ...]) -> None:
    found = widened(torch.tensor([[box]]) / SIDE, LEAST / SIDE)[0, 0] * SIDE
    assert found.min() >= 0 and found.max() <= SIDE
    assert (found[2:] - found[:2] >= LEAST - 1e-4).all()
