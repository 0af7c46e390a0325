"""What the namer reads of a region, and which words it knows."""

from __future__ import annotations

import torch
from torch import Tensor

from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.regions.region_classifier import RegionClassifier, seen_in
from deixis.layers.regions.region_encoder import GEOMETRY

CELLS, HEAD, WIDTH = 8, 5, 2
INPUT = CELLS * STRIDE
SIZE = 2 * HEAD + 3 * WIDTH + GEOMETRY


def places(*, proposed: tuple[float, float, float, float] = (0, 0, INPUT, INPUT)) -> PlaceMap:
    """Return maps that are 1 in the left half and 3 in the right one; boxes are ``proposed`` everywhere."""

    def halves(channels: int, cells: int) -> Tensor:
        return torch.where(torch.arange(cells) < cells // 2, 1.0, 3.0).expand(1, channels, cells, cells)

    fine = halves(WIDTH, CELLS)
    boxes = torch.tensor(proposed).float().expand(1, CELLS * CELLS, 4)
    middle, coarse, head = halves(WIDTH, CELLS // 2), halves(WIDTH, CELLS // 4), halves(HEAD, CELLS // 4)
    return PlaceMap(fine, middle, coarse, fine.flatten(2), boxes, head=head)


def seen(where: PlaceMap, *units: tuple[float, float, float, float]) -> Tensor:
    own = torch.tensor(units)
    middle, size = (own[:, :2] + own[:, 2:]) / 2, own[:, 2:] - own[:, :2]
    masks = torch.full((1, len(units), CELLS, CELLS), 1 / CELLS**2)
    return seen_in(where, masks, torch.cat([own, middle, size], dim=-1)[None])[0]


def test_maps_are_read_inside_the_region_and_the_whole_picture_beside_them() -> None:
    left, right = seen(places(), (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0))
    inside = HEAD + 3 * WIDTH
    assert left.shape == (SIZE,)
    torch.testing.assert_close(left[:inside], torch.full((inside,), 1.0))
    torch.testing.assert_close(right[:inside], torch.full((inside,), 3.0))
    torch.testing.assert_close(left[inside : inside + HEAD], torch.full((HEAD,), 2.0))
    assert left[-GEOMETRY:].tolist() == [0.0, 0.0, 0.5, 1.0, 0.25, 0.5, 0.5, 1.0]


def test_a_point_is_read_as_the_box_that_is_proposed_there() -> None:
    where = places(proposed=(INPUT / 2, 0, INPUT, INPUT))
    point, box = seen(where, (0.25, 0.5, 0.25, 0.5), (0.5, 0.0, 1.0, 1.0))
    torch.testing.assert_close(point, box)


def new_classifier() -> RegionClassifier:
    torch.manual_seed(3)
    made = RegionClassifier(head_width=HEAD, map_width=WIDTH, words=7, word_width=4)
    with torch.no_grad():
        made.bias[[2, 5]] = 0.0
    return made


def test_only_words_that_were_fitted_are_names_and_further_ones_are_none() -> None:
    assert new_classifier().pieces.tolist() == [2, 5]
    grown = new_classifier()
    grown.grow(9)
    assert grown.pieces.tolist() == [2, 5] and len(grown.bias) == 9
    assert RegionClassifier(head_width=1, map_width=1, words=3, word_width=2).pieces.tolist() == []


def test_much_is_dropped_while_it_learns_and_nothing_afterwards() -> None:
    learning, words, what = new_classifier().train(), torch.randn(7, 4), torch.ones(40, SIZE)
    assert len(learning(what, words).unique(dim=0)) > 30
    assert len(learning.eval()(what, words).unique(dim=0)) == 1


def test_what_is_seen_is_measured_against_what_was_fitted_on() -> None:
    made, words = new_classifier().eval(), torch.randn(7, 4)
    before = made(torch.ones(1, SIZE), words)
    made.mean.fill_(1.0)
    made.spread.fill_(4.0)
    torch.testing.assert_close(made(torch.full((1, SIZE), 5.0), words), before)
