"""Which places a prompt speaks of: the best proposals, what the user points at, and in which order.

Boxes are cx cy w h as fractions of the sides of the square that the network sees (groma.md section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from deixis.errors import BadRegion, UsageError
from deixis.layers.proposals.box_forms import corners, pair_iou

USER_SCORE, GROUND_SCORE = 1.0, 0.2

Order = Callable[[int], Tensor]
"""From the number of places to a permutation of them; before it the surest comes first."""

Unmatched = Literal["first", "nearest"]
"""Which place stands for a given box that overlaps none: the first one, as published, or the nearest."""


def by_score(count: int) -> Tensor:
    """Return the order of scores: the surest place is the first one."""
    return torch.arange(count)


def shuffled(count: int) -> Tensor:
    """Return an order by chance, drawn from torch's global generator, as the published program does."""
    return torch.randperm(count)


ORDERS: Mapping[str, Order] = MappingProxyType({"score": by_score, "random": shuffled})


@dataclass(frozen=True)
class SelectionRules:
    """What decides about places.

    nms_thres: of two boxes that overlap by more (IoU) the surer one stays. box_score_thres: a place has to be
    surer than that; 0 lets all in. max_region_num: at most so many places.
    """

    nms_thres: float = 0.6
    box_score_thres: float = 0.15
    max_region_num: int = 100

    def __post_init__(self) -> None:
        if self.nms_thres == 0:
            raise UsageError(
                "nms_thres is 0.0, which leaves one of all boxes that touch; an early config.json of the "
                "published weights said so by mistake. Write 0.6, the value that they were trained with"
            )
        if not 0 < self.nms_thres <= 1 or not 0 <= self.box_score_thres < 1 or self.max_region_num < 1:
            raise UsageError(
                f"nms_thres is {self.nms_thres}, box_score_thres {self.box_score_thres}, max_region_num "
                f"{self.max_region_num}; expected 0 < nms_thres <= 1, 0 <= box_score_thres < 1 and at least "
                "one place"
            )


@dataclass(frozen=True)
class Selected:
    """The K places of a prompt, in its order.

    boxes (K, 4), scores (K,). candidates (K,): each place's number among proposals, then user boxes, then
    ground boxes. refer, ground: the place of each user box and of each ground box. corner_boxes, all_scores:
    of all candidates. kept: the candidates that stayed, the surest first. order: the permutation; None where
    nothing was sure enough, and the best candidate is the only place. shares (K, s, s): how much of each bin
    of a place's box belongs to it; None: all places are their boxes.
    """

    boxes: Tensor
    scores: Tensor
    candidates: Tensor
    refer: tuple[int, ...]
    ground: tuple[int, ...]
    corner_boxes: Tensor
    all_scores: Tensor
    kept: Tensor
    order: Tensor | None
    shares: Tensor | None = None


@torch.no_grad()
def select(
    boxes: Tensor,
    scores: Tensor,
    *,
    rules: SelectionRules,
    refer: Tensor | None = None,
    ground: Tensor | None = None,
    order: Order = by_score,
    unmatched: Unmatched = "first",
    shares: Tensor | None = None,
) -> Selected:
    """Return the places of a prompt about one picture, given its proposals (Q, 4) and their scores (Q,).

    refer (n, 4): what the user points at, ground (m, 4): the boxes of answers in training. One that overlaps
    a surer place too much is represented by that place; user boxes that are nearly the same share one. All
    is worked out in float32. shares (n, s, s): of user regions that don't fill their boxes (masks), all 1 for
    those that do. A mask overlaps only what has the same shares: what else lies in its box is something else.
    """
    none = boxes.new_zeros(0, 4)
    shares = None if shares is None else shares.to(boxes.device)
    own, true = (none if given is None else given.to(boxes.device) for given in (refer, ground))
    every = torch.cat([boxes, own, true]).float()  # (C, 4)
    extra = (scores.new_full((len(one),), score) for one, score in ((own, USER_SCORE), (true, GROUND_SCORE)))
    all_scores = torch.cat([scores, *extra]).float()  # (C,)
    if not len(every):
        raise BadRegion("there is no proposal and no region: nothing could be spoken of")
    corner_boxes = corners(every)
    groups = groups_of(shares, before=len(boxes), behind=len(true), like=all_scores)
    kept = survivors(corner_boxes, all_scores, rules, groups=groups)
    permutation = None
    chosen = kept
    if len(kept):
        permutation = order(len(kept)).to(kept.device)
        check_order(permutation, len(kept))
        chosen = kept[permutation]
    else:
        chosen = all_scores.argmax().reshape(1)
    found = corner_boxes[chosen]
    return Selected(
        boxes=every[chosen],
        scores=all_scores[chosen],
        candidates=chosen,
        refer=matched(
            corners(own.float()),
            found,
            unmatched=unmatched,
            groups=groups[len(boxes) : len(boxes) + len(own)],
            place_groups=groups[chosen],
        ),
        ground=matched(corners(true.float()), found, unmatched=unmatched),
        corner_boxes=corner_boxes,
        all_scores=all_scores,
        kept=kept,
        order=permutation,
        shares=None if shares is None else shares_of_places(shares, chosen - len(boxes)),
    )


def groups_of(shares: Tensor | None, *, before: int, behind: int, like: Tensor) -> Tensor:
    """Return the group of each candidate (C,): 0, and for masks one for each different filling of a box.

    shares (n, s, s): of user regions. before, behind: how many candidates there are before and behind these.
    """
    if shares is None:
        return torch.zeros(len(like), dtype=torch.long, device=like.device)
    _, number = shares.flatten(1).unique(dim=0, return_inverse=True)
    own = torch.where((shares == 1).flatten(1).all(dim=1), 0, number + 1).to(like.device)
    return torch.cat([own.new_zeros(before), own, own.new_zeros(behind)])


def shares_of_places(shares: Tensor, users: Tensor) -> Tensor:
    """Return the shares (K, s, s) of places. users (K,): which user region each is; other numbers: none."""
    own = shares.new_ones(len(users), *shares.shape[1:])
    is_user = (users >= 0) & (users < len(shares))
    own[is_user] = shares[users[is_user].to(shares.device)]
    return own


def survivors(boxes: Tensor, scores: Tensor, rules: SelectionRules, *, groups: Tensor) -> Tensor:
    """Return the numbers of the boxes (C, 4), corners, that are sure enough and apart, the surest first.

    groups (C,): boxes of different ones are apart wherever they are.
    """
    from torchvision.ops import nms

    if bool(groups.any()):
        reach = boxes.max() - boxes.min() + 1
        boxes = boxes + (groups * reach)[:, None]
    numbers = torch.arange(len(scores), device=scores.device)
    if rules.box_score_thres > 0:
        numbers = numbers[scores > rules.box_score_thres]
    apart: Tensor = nms(boxes[numbers], scores[numbers], rules.nms_thres)
    return numbers[apart][: rules.max_region_num]


def matched(
    boxes: Tensor,
    places: Tensor,
    *,
    unmatched: Unmatched = "nearest",
    groups: Tensor | None = None,
    place_groups: Tensor | None = None,
) -> tuple[int, ...]:
    """Return which place (of K, 4) each box (n, 4) overlaps most by IoU, both corners; the first of equals.

    unmatched: see ``Unmatched``; a box without any area overlaps nothing. groups (n,), place_groups (K,):
    places of the same group go before all others; without groups they don't count.
    """
    if not len(boxes):
        return ()
    iou = pair_iou(boxes, places)  # (n, K)
    if groups is not None and place_groups is not None and bool(groups.any() or place_groups.any()):
        same = (groups[:, None] == place_groups) & (iou > 0)
        iou = torch.where(same, iou + 1, iou)
    chosen = iou.argmax(dim=1)
    if unmatched == "nearest":
        middles = [(given[:, :2] + given[:, 2:]) / 2 for given in (boxes, places)]
        near = torch.cdist(middles[0], middles[1]).argmin(dim=1)
        chosen = torch.where(iou.amax(dim=1) > 0, chosen, near)
    return tuple(chosen.tolist())


def check_count(refer: Tensor | None, rules: SelectionRules) -> None:
    """Raise BadRegion for more user boxes (n, 4) than there can be places."""
    if refer is not None and len(refer) > rules.max_region_num:
        raise BadRegion(
            f"a question points at {len(refer)} regions; at most {rules.max_region_num} fit into a prompt "
            "(max_region_num). Ask about fewer at a time"
        )


def check_order(order: Tensor, count: int) -> None:
    """Raise UsageError unless an order is a permutation of so many places."""
    if order.sort().values.tolist() != list(range(count)):
        raise UsageError(f"an order of {count} places was expected; got {order.tolist()!r:.100}")
