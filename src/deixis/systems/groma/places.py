"""The places of a prompt, and what is remembered of a picture between questions about it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from deixis.answers.grounded import Place
from deixis.pictures.opening import Picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Mask, Region
from deixis.regions.soft_mask import pooled
from deixis.systems.groma.detector.selection import Selected, SelectionRules, select
from deixis.systems.groma.model import PicturePerception
from deixis.systems.groma.preparation import CELL, original_boxes, unit_boxes
from deixis.systems.groma.reading import ListedPlace

MOST_REMEMBERED = 1000  # vectors of boxes in one picture; those used last stay
INSIDE = 0.5  # from which likelihood on a cell belongs to a mask

Key = Hashable


class RegionMemory:
    """The vectors of places in one picture that were asked about before; used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, Tensor] = OrderedDict()

    def get(self, selected: Selected, encode: Callable[[Tensor, Tensor | None], Tensor]) -> Tensor:
        """Return the vectors (K, D) of places; those not known yet are encoded together.

        encode: from boxes (n, 4) and their shares (n, s, s), None for boxes as they are, to vectors (n, D).
        """
        keys = place_keys(selected)
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        new = [number for number, key in enumerate(keys) if key not in known]
        if new:
            shares = None if selected.shares is None else selected.shares[new]
            made = encode(selected.boxes[new], shares)
            known |= {keys[number]: vector for number, vector in zip(new, made, strict=True)}
        with self._lock:
            for key in keys:
                self._known[key] = known[key]
                self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return torch.stack([known[key] for key in keys])

    def __len__(self) -> int:
        return len(self._known)


@dataclass(frozen=True)
class Perceived:
    """What a system keeps of one picture: what was found in it, and the vectors of boxes asked about."""

    perception: PicturePerception
    memory: RegionMemory


@dataclass(frozen=True, eq=False)
class PromptPlaces:
    """What a prompt's tokens stand for. features: the place whose vector each ``<refer_feat>`` takes.

    subject: the phrase whose place was asked for, where the question says so in a way that the network was
    taught. asked: the words of the question.
    """

    selected: Selected
    listed: tuple[ListedPlace, ...]
    features: tuple[int, ...]
    subject: str = ""
    asked: str = ""

    @property
    def keys(self) -> list[Key]:
        """What is equal for equal places."""
        return place_keys(self.selected)


def place_keys(selected: Selected) -> list[Key]:
    """Return what is equal for equal places: a box, and for a mask how it fills its box, too."""
    boxes = [tuple(box) for box in selected.boxes.detach().cpu().tolist()]
    if selected.shares is None:
        return list(boxes)
    return [
        box if bool((own == 1).all()) else (*box, own.numpy().tobytes())
        for box, own in zip(boxes, selected.shares.detach().cpu(), strict=True)
    ]


def pointed_at(regions: Sequence[Region], picture: Picture) -> Tensor:
    """Return the boxes (n, 4) of regions that a user points at, as the network sees them.

    One without any height or width is taken for a cell of the encoder's grid, as a point is.
    """
    boxes = unit_boxes(regions, picture)
    flat = boxes[:, 2:] <= 0
    boxes[:, 2:][flat] = CELL
    return boxes


def shares_of(regions: Sequence[Region], picture: Picture, *, side: int | None) -> Tensor | None:
    """Return how much of each bin of their boxes regions fill, (n, s, s) float32; None where all fill theirs.

    Of a mask the fullest bin counts 1, so that a thin one isn't faint; all else fills its box. side: into how
    many bins a side is divided; None: masks are taken for their boxes.
    """
    if side is None or not any(isinstance(region, Mask) for region in regions):
        return None
    shares = torch.ones(len(regions), side, side)
    for number, region in enumerate(regions):
        if isinstance(region, Mask):
            shares[number] = torch.from_numpy(filled(region.to(picture.frame), side=side))
    return shares


def filled(mask: Mask, *, side: int) -> NDArray[np.float32]:
    """Return how much of each bin (s, s) of its box a mask fills, the fullest one 1.

    >>> filled(Mask.from_array(np.array([[1, 0], [1, 1]])), side=2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    x0, y0, x1, y1 = (round(edge) for edge in mask.bounds().as_tuple())
    covered = pooled(mask.rasterise()[y0:y1, x0:x1], height=side, width=side)
    share: NDArray[np.float32] = (covered / covered.max()).astype(np.float32)
    # Sums of fractions of pixels round: what is full to a millionth is full.
    share[share > 1 - 1e-6] = 1.0
    return share


def listed_places(selected: Selected, perception: PicturePerception, frame: Frame) -> tuple[ListedPlace, ...]:
    """Return the places of a prompt in pixels of the original, with masks where the proposer made them."""
    boxes = original_boxes(selected.boxes, frame)
    masks = masks_of(selected, perception, frame)
    return tuple(
        ListedPlace(box, min(float(score), 1.0), mask)
        for box, score, mask in zip(boxes, selected.scores, masks, strict=True)
    )


def proposed_places(
    perception: PicturePerception, frame: Frame, *, rules: SelectionRules, most: int
) -> tuple[Place, ...]:
    """Return at most ``most`` proposals, the surest first, in pixels of the original.

    rules: of two that overlap by more than its ``nms_thres`` the surer one stays; how sure a place of a
    prompt has to be doesn't count here.
    """
    every = replace(rules, box_score_thres=0.0, max_region_num=most)
    selected = select(perception.boxes, perception.scores, rules=every)
    listed = listed_places(selected, perception, frame)
    return tuple(Place(one.box, one.objectness, one.mask) for one in listed)


def masks_of(selected: Selected, perception: PicturePerception, frame: Frame) -> list[Mask | None]:
    """Return the mask of each place that is a proposal; None for boxes of users and without masks."""
    if perception.masks is None:
        return [None] * len(selected.boxes)
    width, height = (round(side) for side in frame.size)
    made: list[Mask | None] = []
    for candidate in selected.candidates.tolist():
        if candidate >= len(perception.masks):
            made.append(None)
            continue
        soft = perception.masks[candidate][None, None].float()
        full = functional.interpolate(soft, (height, width), mode="bilinear", align_corners=False)[0, 0]
        inside: np.ndarray = (full > INSIDE).cpu().numpy()
        made.append(Mask.from_array(inside, frame=frame) if inside.any() else None)
    return made
