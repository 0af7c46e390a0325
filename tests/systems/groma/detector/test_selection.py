"""Which places a prompt has, when what is given is hostile."""

from __future__ import annotations

import pytest
import torch

from deixis.errors import BadRegion, UsageError
from deixis.systems.groma.detector.selection import SelectionRules, check_count, select, shuffled

RULES = SelectionRules()
BOXES = torch.tensor([[0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2], [0.31, 0.3, 0.2, 0.2]])
SCORES = torch.tensor([0.5, 0.9, 0.4])


def test_the_surest_place_comes_first() -> None:
    chosen = select(BOXES, SCORES, rules=RULES)
    assert chosen.candidates.tolist() == [1, 0]  # the third is nearly the first
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.5])


def test_an_nms_threshold_of_zero_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match=r"nms_thres is 0\.0, which leaves one of all boxes that touch"):
        SelectionRules(nms_thres=0.0)


def test_nothing_sure_enough_leaves_the_best() -> None:
    chosen = select(BOXES, SCORES / 10, rules=RULES)
    assert chosen.candidates.tolist() == [1] and chosen.order is None


def test_user_boxes_that_are_nearly_the_same_share_a_place() -> None:
    own = torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.501, 0.5, 0.4, 0.4], [0.1, 0.1, 0.1, 0.1]])
    chosen = select(BOXES, SCORES, rules=RULES, refer=own)
    assert chosen.refer[0] == chosen.refer[1] != chosen.refer[2]
    torch.testing.assert_close(chosen.boxes[list(chosen.refer)], own, atol=0.002, rtol=0)


def test_three_hundred_user_boxes_are_refused_with_the_cap() -> None:
    with pytest.raises(BadRegion, match="points at 300 regions; at most 100"):
        check_count(torch.rand(300, 4), RULES)


def test_a_box_without_area_goes_to_the_nearest_place() -> None:
    flat = torch.tensor([[0.31, 0.31, 0.0, 0.1], [0.71, 0.69, 0.0, 0.0]])
    rules = SelectionRules(box_score_thres=0.3)
    chosen = select(BOXES, SCORES, rules=rules, ground=flat, unmatched="nearest")
    assert [chosen.candidates[place].item() for place in chosen.ground] == [0, 1]
    assert select(BOXES, SCORES, rules=rules, ground=flat).ground == (0, 0), "as published"


def test_the_published_order_is_torchs() -> None:
    torch.manual_seed(3)
    expected = torch.randperm(2)
    torch.manual_seed(3)
    chosen = select(BOXES, SCORES, rules=RULES, order=shuffled)
    assert chosen.order is not None and chosen.order.tolist() == expected.tolist()


def test_an_order_has_to_be_a_permutation() -> None:
    with pytest.raises(UsageError, match="an order of 2 places"):
        select(BOXES, SCORES, rules=RULES, order=lambda count: torch.zeros(count, dtype=torch.long))


def test_half_precision_is_selected_in_float32() -> None:
    chosen = select(BOXES.bfloat16(), SCORES.bfloat16(), rules=RULES)
    assert chosen.boxes.dtype == torch.float32 and len(chosen.boxes) == 2


def halves(*sides: str) -> torch.Tensor:
    """Return shares (n, 2, 2): the left half of a box, its right half, or all of it."""
    named = {"left": [[1.0, 0.0]] * 2, "right": [[0.0, 1.0]] * 2, "all": [[1.0, 1.0]] * 2}
    return torch.tensor([named[side] for side in sides])


def test_different_masks_in_one_box_are_different_places() -> None:
    own = torch.tensor([[0.5, 0.5, 0.2, 0.2]] * 4)
    shares = halves("left", "right", "left", "all")
    chosen = select(BOXES, SCORES, rules=RULES, refer=own, shares=shares)
    first, second, third, whole = chosen.refer
    assert first == third and len({first, second, whole}) == 3
    assert chosen.shares is not None and len(chosen.boxes) == 2 + 3
    for place, filling in ((first, "left"), (second, "right"), (whole, "all")):
        assert torch.equal(chosen.shares[place], halves(filling)[0])
    others = [number for number in range(5) if number not in chosen.refer]
    assert bool((chosen.shares[others] == 1).all())


def test_without_masks_nothing_changes() -> None:
    own = torch.tensor([[0.5, 0.5, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]])
    plain = select(BOXES, SCORES, rules=RULES, refer=own)
    filled = select(BOXES, SCORES, rules=RULES, refer=own, shares=halves("all", "all"))
    assert torch.equal(plain.boxes, filled.boxes) and plain.refer == filled.refer
    assert plain.shares is None
