"""Ablations: the same questions with the evidence taken away, to see that the answers came from it.

A system that names regions from the words alone keeps its score when regions are shuffled between pictures;
one that points by habit keeps it when every picture is grey; one that names whatever a picture shows,
wherever it is pointed at, keeps it when regions are moved to another place of their picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deixis.errors import UsageError
from deixis.evaluation.task import Item
from deixis.pictures.opening import Picture
from deixis.regions.frames import UNIT
from deixis.regions.shapes import Region

GREY = 128
Items = list[Item[Any]]


@dataclass(frozen=True)
class Ablation:
    """What is changed before a system is asked; baselines and truths stay.

    explained: for the protocol card. items: from a task's items and a seed to those that are asked. picture:
    from each picture to the one that is shown.
    """

    name: str
    explained: str
    items: Callable[[Sequence[Item[Any]], int], Items]
    picture: Callable[[Picture], Picture]


def as_they_are(items: Sequence[Item[Any]], seed: int) -> Items:
    """Return the items unchanged."""
    return list(items)


def itself(picture: Picture) -> Picture:
    """Return the picture unchanged."""
    return picture


def grey(picture: Picture) -> Picture:
    """Return a picture of the same size and frame in which there is nothing to see."""
    return replace(picture, pixels=np.full_like(picture.pixels, GREY))


def shuffled(items: Sequence[Item[Any]], seed: int) -> Items:
    """Return the items, each with the regions of an item about another picture, at the same share of it.

    Items keep their order, question and truth. UsageError where no region is pointed at, or where half of the
    items or more are about one picture, so that they can't all get another's.
    """
    pointing = [index for index, item in enumerate(items) if item.regions]
    if not pointing:
        raise UsageError("these tasks point at nothing, so that no regions can be shuffled between pictures")
    rng = np.random.default_rng([seed, len(pointing)])
    # Sorted by picture and moved on by more than any picture has, no item meets its own picture again.
    order = sorted(rng.permutation(pointing).tolist(), key=lambda index: items[index].picture)
    pictures = [items[index].picture for index in order]
    most = max(pictures.count(picture) for picture in dict.fromkeys(pictures))
    if 2 * most > len(order):
        raise UsageError(
            f"{most} of {len(order)} items are about one picture; shuffling regions between pictures needs "
            "more pictures"
        )
    changed = list(items)
    for own, other in zip(order, order[most:] + order[:most], strict=True):
        regions = zip(items[own].regions, items[other].regions, strict=True)
        changed[own] = replace(
            items[own], regions=tuple((name, share_of(region)) for (name, _), (_, region) in regions)
        )
    return changed


def elsewhere(items: Sequence[Item[Any]], seed: int) -> Items:
    """Return the items, each with its regions moved to another place of the same picture.

    UsageError where no region is pointed at.
    """
    if not any(item.regions for item in items):
        raise UsageError("these tasks point at nothing, so that no regions can be moved")
    return [
        replace(item, regions=tuple((name, far_from(region)) for name, region in item.regions))
        for item in items
    ]


def far_from(region: Region) -> Region:
    """Return a region of the same size and form in the opposite corner of its picture.

    It moves by whole pixels of its frame. One that is as large as the picture stays where it is.

    >>> from deixis.regions import Box, Frame
    >>> far_from(Box(10, 60, 30, 95, frame=Frame.original(200, 100))).as_tuple()
    (180.0, 0.0, 200.0, 35.0)
    """
    frame = region.frame
    box = region.bounds().as_tuple()
    moves = []
    for low, high, side in zip(box[:2], box[2:], frame.size, strict=True):
        back, on = -max(math.floor(low), 0), max(math.floor(side - high), 0)
        moves.append(on if on > -back else back)
    x, y = moves
    width, height = frame.size
    moved: Region = replace(region.to(frame.cropped(-x, -y, width - x, height - y)), frame=frame)
    return moved


def share_of(region: Region) -> Region:
    """Return a region as shares of its picture's sides, bound to no picture."""
    moved: Region = replace(region.to(region.frame.unit()), frame=UNIT)
    return moved


NONE = Ablation("none", "none", as_they_are, itself)
ABLATIONS = {
    ablation.name: ablation
    for ablation in (
        NONE,
        Ablation("grey", "every picture is an even grey of the same size", as_they_are, grey),
        Ablation(
            "shuffled_regions",
            "every region is that of an item about another picture, at the same share of the sides",
            shuffled,
            itself,
        ),
        Ablation(
            "moved_regions",
            "every region is moved to the opposite corner of its picture, as large as it was",
            elsewhere,
            itself,
        ),
    )
}


def find_ablation(name: str) -> Ablation:
    """Return the ablation of that name; UsageError lists the known ones."""
    if name not in ABLATIONS:
        raise UsageError(f"there is no ablation {name!r}; known ablations: {', '.join(ABLATIONS)}")
    return ABLATIONS[name]
