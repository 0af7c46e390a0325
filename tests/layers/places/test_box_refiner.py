"""The second look: which places it looks at, what it reads there, and that it begins by changing nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from deixis.layers.places.box_overlap import AGREE, APART, overlap_of
from deixis.layers.places.box_refiner import (
    LEAST,
    REACH,
    BoxRefiner,
    Candidates,
    best_apart,
    choose_candidates,
)
from deixis.layers.places.place_map import STRIDE, PlaceMap

CELLS, WIDTH, MAP_WIDTH = 8, 16, 6
SIDE = CELLS * STRIDE


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def some_boxes(*shape: int, seed: int = 0, crowded: bool = False) -> Tensor:
    """Return boxes (…, 4) of all sizes; crowded ones are five boxes, each many times and nearly the same."""
    chance = torch.Generator().manual_seed(seed)
    corners = torch.rand(*shape, 2, 2, generator=chance) * SIDE
    if crowded:
        five = torch.rand(5, 2, 2, generator=chance) * SIDE
        corners = five[torch.randint(5, shape, generator=chance)] + corners * 0.1
    corners = corners.sort(dim=-2).values
    return torch.cat([corners[..., 0, :], corners[..., 1, :]], dim=-1)


def some_shares(*shape: int, seed: int = 0) -> Tensor:
    """Return shares that are added without rounding, so that equal masses are equal."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(0, 64, shape, generator=chance).float() / 4096


def some_map(batch: int = 2, *, dtype: torch.dtype = torch.float32) -> PlaceMap:
    return PlaceMap(
        fine=torch.randn(batch, MAP_WIDTH, CELLS, CELLS, dtype=dtype),
        middle=torch.randn(batch, MAP_WIDTH, CELLS // 2, CELLS // 2, dtype=dtype),
        coarse=torch.randn(batch, MAP_WIDTH, CELLS // 4, CELLS // 4, dtype=dtype),
        keys=torch.randn(batch, MAP_WIDTH, CELLS * CELLS, dtype=dtype),
        boxes=some_boxes(batch, CELLS * CELLS),
    )


def some_candidates(batch: int = 2, phrases: int = 3, count: int = 4) -> Candidates:
    return Candidates(
        boxes=some_boxes(batch, phrases, count, seed=3),
        mass=-torch.rand(batch, phrases, count).sort(dim=-1).values,
        peak=-torch.rand(batch, phrases, count) - 1,
        nowhere=-torch.rand(batch, phrases),
    )


def looker(*, told: bool = True, looks: int = 1) -> BoxRefiner:
    """Return a second look; ``told``: its heads have learnt something."""
    look = BoxRefiner(width=WIDTH, map_width=MAP_WIDTH, looks=looks)
    if told:
        for head in (look.score, look.none, look.refine, look.quality):
            torch.nn.init.normal_(head.weight)
    return look


# Which places.


def naive_best(shares: list[float], boxes: Tensor, count: int) -> list[int]:
    """Return the indices of the best places of one phrase, written out."""
    ious = box_iou(boxes, boxes).nan_to_num().tolist()
    numbers = range(len(shares))
    masses = [sum(shares[j] for j in numbers if ious[i][j] > AGREE) for i in numbers]
    chosen: list[int] = []
    while len(chosen) < min(count, len(shares)):
        left = [i for i in numbers if i not in chosen]
        apart = [i for i in left if all(ious[i][j] <= APART for j in chosen)]
        chosen.append(max(apart, key=lambda i: masses[i]) if apart else left[0])
    return chosen


@pytest.mark.parametrize("crowded", [False, True], ids=["spread", "crowded"])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_places_are_those_of_a_loop(seed: int, crowded: bool) -> None:
    boxes, shares = some_boxes(40, seed=seed, crowded=crowded), some_shares(3, 40, seed=seed)
    index, masses = (found[0] for found in best_apart(shares[None], overlap_of(boxes[None]), count=12))
    ious = box_iou(boxes, boxes)
    for phrase in range(3):
        assert index[phrase].tolist() == naive_best(shares[phrase].tolist(), boxes, 12)
        expected = [float(shares[phrase][ious[i] > AGREE].sum()) for i in index[phrase].tolist()]
        assert masses[phrase].tolist() == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 40), crowded=st.booleans())
def test_candidates_are_different_places_the_best_of_them_first(seed: int, count: int, crowded: bool) -> None:
    boxes, shares = some_boxes(30, seed=seed, crowded=crowded), some_shares(1, 30, seed=seed)
    index, masses = best_apart(shares[None], overlap_of(boxes[None]), count=min(count, 30))
    ((chosen,),), ((weights,),) = index.tolist(), masses.tolist()
    assert len(set(chosen)) == len(chosen) == min(count, 30)
    ious = box_iou(boxes[chosen], boxes[chosen]).fill_diagonal_(0).tril().amax(dim=1)
    first = next((n for n, iou in enumerate(ious.tolist()) if iou > APART), len(chosen))
    assert weights[:first] == sorted(weights[:first], reverse=True)
    if first < len(chosen):  # none was left that is apart from all of them
        assert (box_iou(boxes[chosen[:first]], boxes).amax(dim=0) > APART - 1e-5).all()


def test_candidates_carry_their_box_mass_peak_and_nowhere() -> None:
    logits, nowhere, boxes = torch.randn(2, 3, 20), torch.randn(2, 3), some_boxes(2, 20)
    found = choose_candidates(logits, nowhere, boxes, count=4)
    shares = torch.cat([logits, nowhere[..., None]], dim=-1).softmax(dim=-1)
    assert found.boxes.shape == (2, 3, 4, 4) and found.mass.shape == found.peak.shape == (2, 3, 4)
    torch.testing.assert_close(found.nowhere.exp(), shares[..., -1])
    for b in range(2):
        alone = best_apart(shares[b : b + 1, :, :-1], overlap_of(boxes[b : b + 1]), count=4)
        index, masses = (found[0] for found in alone)
        assert torch.equal(found.boxes[b], boxes[b][index])
        torch.testing.assert_close(found.mass[b].exp(), masses)
        torch.testing.assert_close(found.peak[b].exp(), shares[b, :, :-1].gather(1, index))


@pytest.mark.parametrize("crowded", [False, True], ids=["spread", "crowded"])
def test_pictures_worked_out_together_have_the_places_of_each_alone(crowded: bool) -> None:
    """As on a GPU, which takes many at once."""
    boxes = torch.stack([some_boxes(30, seed=seed, crowded=crowded) for seed in range(3)])
    shares = torch.stack([some_shares(4, 30, seed=seed) for seed in range(3)])
    together = best_apart(shares, overlap_of(boxes), count=9)
    alone = [best_apart(shares[b : b + 1], overlap_of(boxes[b : b + 1]), count=9) for b in range(3)]
    assert torch.equal(together[0], torch.cat([index for index, _ in alone]))
    torch.testing.assert_close(together[1], torch.cat([masses for _, masses in alone]))


def test_overlaps_worked_out_before_change_no_candidate() -> None:
    logits, nowhere, boxes = torch.randn(2, 3, 20), torch.randn(2, 3), some_boxes(2, 20)
    found = choose_candidates(logits, nowhere, boxes, count=4)
    again = choose_candidates(logits, nowhere, boxes, count=4, overlap=overlap_of(boxes))
    for name in ("boxes", "mass", "peak", "nowhere"):
        torch.testing.assert_close(getattr(found, name), getattr(again, name))


def test_overlaps_are_the_same_however_many_rows_are_worked_out_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boxes = torch.stack([some_boxes(30, seed=seed, crowded=True) for seed in range(2)])
    whole = overlap_of(boxes)
    monkeypatch.setattr("deixis.layers.places.box_overlap.ROWS", 7)
    parts = overlap_of(boxes)
    assert torch.equal(whole.agree, parts.agree) and torch.equal(whole.same, parts.same)
    for b in range(2):
        assert torch.equal(parts.same[b], box_iou(boxes[b], boxes[b]) > APART)


def test_more_candidates_than_locations_are_all_locations_once() -> None:
    boxes = some_boxes(2, 5)
    found = choose_candidates(torch.randn(2, 3, 5), torch.randn(2, 3), boxes, count=9)
    for b in range(2):
        for phrase in found.boxes[b]:
            assert sorted(phrase.tolist()) == sorted(boxes[b].tolist())


def test_the_choice_has_no_gradient() -> None:
    logits, boxes = torch.randn(1, 2, 9, requires_grad=True), some_boxes(1, 9).requires_grad_()
    found = choose_candidates(logits, logits[..., 0], boxes, count=3)
    assert not any(part.requires_grad for part in (found.boxes, found.mass, found.peak, found.nowhere))


def test_boxes_without_area_come_last_with_the_least_mass() -> None:
    boxes = torch.tensor([[[9.0, 9, 9, 30], [20, 20, 10, 10], [0, 0, 8, 8], [30, 30, 50, 50]]])
    found = choose_candidates(torch.tensor([[[5.0, 5.0, 0.0, 1.0]]]), torch.zeros(1, 1), boxes, count=4)
    assert found.boxes[0, 0, :2].tolist() == [[30, 30, 50, 50], [0, 0, 8, 8]]
    assert found.mass[0, 0, 2:].exp().tolist() == pytest.approx([LEAST, LEAST])
    assert all(part.isfinite().all() for part in (found.mass, found.peak, found.nowhere))


def test_shares_near_zero_have_finite_logarithms() -> None:
    logits = torch.tensor([[[200.0, 0.0, -200.0]]])
    found = choose_candidates(logits, torch.tensor([[-200.0]]), some_boxes(1, 3), count=3)
    assert all(part.isfinite().all() for part in (found.mass, found.peak, found.nowhere))


def test_training_in_bfloat16_looks_at_the_places_that_answering_looks_at() -> None:
    """Its rounding must not choose among places of nearly the same mass."""
    logits, nowhere, boxes = torch.randn(2, 20, 200), torch.randn(2, 20), some_boxes(2, 200)
    plain = choose_candidates(logits, nowhere, boxes, count=10)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        reduced = choose_candidates(logits, nowhere, boxes, count=10)
    assert torch.equal(plain.boxes, reduced.boxes)
    assert torch.equal(plain.mass, reduced.mass)


# What is read there.


def test_to_begin_with_it_says_what_the_first_look_said() -> None:
    candidates = some_candidates()
    (look,) = looker(told=False)(torch.randn(2, 3, WIDTH), some_map(), candidates)
    assert torch.equal(look.scores, candidates.mass)
    assert torch.equal(look.none, candidates.nowhere)
    assert torch.equal(look.boxes, candidates.boxes)


def test_the_order_of_candidates_and_of_phrases_says_nothing() -> None:
    look, hidden, places, told = looker(), torch.randn(2, 3, WIDTH), some_map(), some_candidates()
    order, phrases = torch.tensor([2, 0, 3, 1]), torch.tensor([1, 2, 0])
    mixed = Candidates(
        boxes=told.boxes[:, phrases][:, :, order],
        mass=told.mass[:, phrases][:, :, order],
        peak=told.peak[:, phrases][:, :, order],
        nowhere=told.nowhere[:, phrases],
    )
    (before,), (after,) = look(hidden, places, told), look(hidden[:, phrases], places, mixed)
    torch.testing.assert_close(before.scores[:, phrases][:, :, order], after.scores, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(before.none[:, phrases], after.none, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(before.boxes[:, phrases][:, :, order], after.boxes, rtol=1e-4, atol=1e-3)


def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    look, hidden, places, candidates = looker(), torch.randn(2, 3, WIDTH), some_map(), some_candidates()
    (together,) = look(hidden, places, candidates)
    (alone,) = look(
        hidden[1:],
        PlaceMap(*(getattr(places, name)[1:] for name in ("fine", "middle", "coarse", "keys", "boxes"))),
        Candidates(*(getattr(candidates, name)[1:] for name in ("boxes", "mass", "peak", "nowhere"))),
    )
    for name in ("scores", "none", "boxes"):
        torch.testing.assert_close(getattr(together, name)[1:], getattr(alone, name), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("part", ["hidden", "fine", "middle", "coarse", "boxes", "mass", "peak", "nowhere"])
def test_everything_that_is_toldcounts(part: str) -> None:
    told = {"hidden": torch.randn(2, 3, WIDTH)}
    places, candidates, look = some_map(), some_candidates(), looker()
    told |= {name: getattr(places, name) for name in ("fine", "middle", "coarse")}
    told |= {name: getattr(candidates, name) for name in ("boxes", "mass", "peak", "nowhere")}

    def said(values: dict[str, Tensor]) -> Tensor:
        depths = [values[name] for name in ("fine", "middle", "coarse")]
        shown = Candidates(*(values[name] for name in ("boxes", "mass", "peak", "nowhere")))
        (seen,) = look(values["hidden"], PlaceMap(*depths, places.keys, places.boxes), shown)
        return torch.cat([seen.scores, seen.none[..., None]], dim=-1)

    changed = told | {part: told[part] + 2 * torch.rand_like(told[part])}
    assert (said(changed) - said(told)).abs().amax() > 1e-3


def test_refined_boxes_stay_boxes_near_where_they_were() -> None:
    candidates, look = some_candidates(), looker()
    torch.nn.init.normal_(look.refine.weight, std=100)
    (boxes,) = (one.boxes for one in look(torch.randn(2, 3, WIDTH), some_map(), candidates))
    assert (boxes[..., 2:] >= boxes[..., :2] - 1e-4).all()
    size = candidates.boxes[..., 2:] - candidates.boxes[..., :2]
    moved = (boxes - candidates.boxes).abs()
    assert (moved <= REACH * torch.cat([size, size], dim=-1) + 1e-4).all()
    assert (moved > 0.9 * REACH * torch.cat([size, size], dim=-1)).any(), "edges do move"


def test_boxes_of_no_area_and_beside_the_picture_are_looked_at() -> None:
    units = torch.tensor([[0.5, 0.5, 0.5, 0.5], [1.2, 1.2, 1.5, 1.6], [-0.4, 0.2, 0.3, 1.7]])
    boxes = units.expand(1, 1, -1, -1) * SIDE
    numbers = torch.zeros(1, 1, len(units))
    candidates = Candidates(boxes, numbers, numbers, torch.zeros(1, 1))
    (look,) = looker()(torch.randn(1, 1, WIDTH), some_map(1), candidates)
    assert look.scores.isfinite().all() and look.none.isfinite().all() and look.boxes.isfinite().all()
    assert torch.equal(look.boxes[0, 0, 0], boxes[0, 0, 0]), "it has no size to move by"


@pytest.mark.parametrize("reduced", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("phrases", [0, 1, 3])
def test_shapes_and_precision(phrases: int, reduced: bool) -> None:
    dtype = torch.bfloat16 if reduced else torch.float32
    look, places = looker(), some_map(dtype=dtype)
    hidden = torch.randn(2, phrases, WIDTH, dtype=dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=reduced):
        scores = torch.bmm(torch.randn(2, phrases, MAP_WIDTH, dtype=dtype), places.keys)
        candidates = choose_candidates(scores, scores.sum(dim=-1), places.boxes, count=4)
        (seen,) = look(hidden, places, candidates)
    assert seen.scores.shape == (2, phrases, 4) and seen.none.shape == (2, phrases)
    assert seen.boxes.shape == (2, phrases, 4, 4)
    assert {part.dtype for part in (seen.scores, seen.none, seen.boxes, seen.quality)} == {torch.float32}
    assert seen.quality.shape == (2, phrases, 4)
    (seen.scores.sum() + seen.none.sum() + seen.boxes.sum() + seen.quality.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in look.parameters())


def test_gradients_reach_every_part_and_the_maps() -> None:
    look, places, hidden = looker(), some_map(), torch.randn(2, 3, WIDTH, requires_grad=True)
    maps = [places.fine, places.middle, places.coarse]
    for depth in maps:
        depth.requires_grad_()
    (seen,) = look(hidden, places, some_candidates())
    joint = torch.cat([seen.scores, seen.none[..., None]], dim=-1).log_softmax(dim=-1)
    (joint[..., 0].sum() + seen.boxes.square().mean() + seen.quality.square().mean()).backward()
    parts = [*look.named_parameters(), ("hidden", hidden), *zip("fmc", maps, strict=True)]
    assert not [name for name, p in parts if p.grad is None or not (p.grad.abs() > 0).any()]


# Looking several times.


def test_a_further_look_is_at_the_refined_boxes() -> None:
    twice, hidden, places, candidates = (
        looker(looks=2),
        torch.randn(2, 3, WIDTH),
        some_map(),
        some_candidates(),
    )
    first, second = twice(hidden, places, candidates)
    once = BoxRefiner(width=WIDTH, map_width=MAP_WIDTH)
    once.load_state_dict({name: t for name, t in twice.state_dict().items() if name != "again"})
    (alone,) = once(hidden, places, candidates)
    (again,) = once(hidden, places, replace(candidates, boxes=first.boxes))
    for name in ("scores", "none", "boxes", "quality"):
        torch.testing.assert_close(getattr(first, name), getattr(alone, name), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(getattr(second, name), getattr(again, name), rtol=1e-4, atol=1e-4)
    assert not torch.equal(first.boxes, second.boxes)
    with torch.no_grad():
        twice.again += 1.0
    assert torch.equal(twice(hidden, places, candidates)[0].scores, first.scores)
    assert not torch.allclose(twice(hidden, places, candidates)[1].scores, second.scores)


def test_no_gradient_of_a_look_flows_into_the_boxes_of_the_one_before() -> None:
    look = looker(looks=2)
    _, second = look(torch.randn(2, 3, WIDTH), some_map(), some_candidates())
    second.scores.sum().backward()
    assert look.refine.weight.grad is None
    assert look.again.grad is not None and look.again.grad.any()
