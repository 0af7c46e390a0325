"""The places of a prompt, and what is remembered of a picture between questions about it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from deixis.answers.grounded import Place
from deixis.pictures.opening import Picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Mask, Region
from deixis.systems.groma.detector.selection import Selected, SelectionRules, select
from deixis.systems.groma.model import PicturePerception
from deixis.systems.groma.preparation import CELL, original_boxes, unit_boxes
from deixis.systems.groma.reading import ListedPlace

MOST_REMEMBERED = 1000  # vectors of boxes in one picture; those used last stay
INSIDE = 0.5  # from which likelihood on a cell belongs to a mask

BoxKey = tuple[float, ...]


class RegionMemory:
    """The vectors of boxes in one picture that were asked about before; used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[BoxKey, Tensor] = OrderedDict()

    def get(self, boxes: Tensor, encode: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the vectors (K, D) of boxes (K, 4); those not known yet are encoded together."""
        keys = box_keys(boxes)
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        new = [number for number, key in enumerate(keys) if key not in known]
        if new:
            made = encode(boxes[new])
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

    subject: the phrase whose place was asked for, if the question asked for one.
    """

    selected: Selected
    listed: tuple[ListedPlace, ...]
    features: tuple[int, ...]
    subject: str = ""

    @property
    def keys(self) -> list[BoxKey]:
        """What is equal for equal places."""
        return box_keys(self.selected.boxes)


def box_keys(boxes: Tensor) -> list[BoxKey]:
    """Return boxes (K, 4) as something that can be looked up."""
    return [tuple(box) for box in boxes.detach().cpu().tolist()]


def pointed_at(regions: Sequence[Region], picture: Picture) -> Tensor:
    """Return the boxes (n, 4) of regions that a user points at, as the network sees them.

    One without any height or width is taken for a cell of the encoder's grid, as a point is.
    """
    boxes = unit_boxes(regions, picture)
    flat = boxes[:, 2:] <= 0
    boxes[:, 2:][flat] = CELL
    return boxes


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
