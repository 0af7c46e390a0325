"""Candidates in detail: what is read where, that it begins with nothing, and that it counts once learnt."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.layers.places.box_refiner import BoxRefiner, Candidates
from deixis.layers.places.candidate_detail import AROUND, EARLY_SIZE, HEAD_SIZE, CandidateDetail
from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.regions.box_sampling import mean_inside, samples_inside

CELLS, HEAD, EARLY, WIDTH, MAP_WIDTH = 8, 10, 3, 16, 6
SIDE = CELLS * STRIDE


def some_map(**changed: Tensor) -> PlaceMap:
    chance = torch.Generator().manual_seed(0)

    def noise(channels: int, cells: int) -> Tensor:
        return torch.randn(2, channels, cells, cells, generator=chance)

    maps = {
        "fine": noise(MAP_WIDTH, CELLS),
        "middle": noise(MAP_WIDTH, CELLS // 2),
        "coarse": noise(MAP_WIDTH, CELLS // 4),
        "head": noise(HEAD, CELLS // 4),
        "early": noise(EARLY, CELLS * 2),
        "keys": torch.zeros(2, MAP_WIDTH, CELLS * CELLS),
        "boxes": torch.zeros(2, CELLS * CELLS, 4),
    }
    return PlaceMap(**(maps | changed))


def some_boxes() -> Tensor:
    corners = torch.rand(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(1)) * SIDE
    return corners.sort(dim=-2).values.flatten(-2)


def detail(*, told: bool = True) -> CandidateDetail:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        made = CandidateDetail(head_width=HEAD, early_width=EARLY, width=WIDTH)
        if told:
            torch.nn.init.normal_(made.out.weight)
    return made


def test_it_begins_with_nothing() -> None:
    assert not detail(told=False)(some_map(), some_boxes()).any()


def test_it_reads_the_head_inside_and_stride_four_inside_and_around() -> None:
    places, boxes = some_map(), some_boxes()
    found = detail().inside(places, boxes.flatten(1, 2) / SIDE)
    for number, (x0, y0, x1, y1) in enumerate(boxes[1].flatten(0, 1).tolist()):
        wide, high = AROUND * (x1 - x0), AROUND * (y1 - y0)
        own = torch.tensor([[[x0, y0, x1, y1]]]) / SIDE
        around = torch.tensor([[[x0 - wide, y0 - high, x1 + wide, y1 + high]]]) / SIDE
        head, early = places.head[1:], places.early[1:]  # type: ignore[index]
        expected = [
            mean_inside(head, own) / HEAD_SIZE,
            samples_inside(early, own) / EARLY_SIZE,
            samples_inside(early, around) / EARLY_SIZE,
        ]
        torch.testing.assert_close(found[1, number], torch.cat(expected, dim=-1)[0, 0])


@pytest.mark.parametrize("name", ["head", "early"])
def test_both_maps_count(name: str) -> None:
    before = detail()(some_map(), some_boxes())
    changed = getattr(some_map(), name) + torch.rand(1, generator=torch.Generator().manual_seed(3)) + 1
    assert (detail()(some_map(**{name: changed}), some_boxes()) - before).abs().amax() > 1e-3


def test_every_candidate_is_read_by_itself() -> None:
    order, boxes = torch.tensor([2, 0, 3, 1]), some_boxes()
    together, mixed = detail()(some_map(), boxes), detail()(some_map(), boxes[:, :, order])
    torch.testing.assert_close(together[:, :, order], mixed)


@pytest.mark.parametrize("told", [False, True])
def test_the_second_look_listens_to_it(told: bool) -> None:
    candidates = Candidates(some_boxes(), torch.zeros(2, 3, 4), torch.zeros(2, 3, 4), torch.zeros(2, 3))
    with torch.random.fork_rng():
        torch.manual_seed(4)
        look = BoxRefiner(width=WIDTH, map_width=MAP_WIDTH)
        torch.nn.init.normal_(look.score.weight)
        hidden = torch.randn(2, 3, WIDTH)
    (without,) = look(hidden, some_map(), candidates)
    look.detail = detail(told=told)
    (with_it,) = look(hidden, some_map(), candidates)
    assert torch.equal(without.scores, with_it.scores) is not told
