"""Dense referring and dense detection: many numbered locations in one dialogue (Zhang et al., 2024, second
stage).

The sentences are the paper's; order, names and how many objects are our completion of it (docs/grit.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.answers.reading.dialects import clamped, thousandth
from deixis.data.grit.draws import LocationDraws
from deixis.data.grit.records import ASSISTANT, HUMAN, Corners, GritPlace, GritRecord, GritTurn
from deixis.data.scene import Scene
from deixis.regions.overlap import area
from deixis.text.templates import IMAGE

LEAST_AREA = 16.0  # squared pixels
MOST_OBJECTS = 20
CLASSIFY = "Please classify the objects in the following locations. {}."
CATEGORIES = "Here are the categories: {}."
LOCALIZE = "Please localize visible objects in the image in a raster scan order."
OBJECTS = "The objects are: {}."
UNNAMED = "object"  # what readers call a thing that nothing names


@dataclass(frozen=True)
class DenseObject:
    """A named box x0 y0 x1 y1 in pixels (it may stick out), and COCO run lengths of what is in it."""

    words: str
    box: Corners
    runs: Mapping[str, Any] | None = None

    @property
    def area(self) -> float:
        """The area of the box as annotated."""
        return area(self.box)


@dataclass(frozen=True)
class DenseRecords:
    """Both dialogues about the same objects, with `order`: which objects they are, top to bottom."""

    order: tuple[int, ...]
    referring: GritRecord
    detection: GritRecord


def dense_records(
    objects: Sequence[DenseObject],
    *,
    width: int,
    height: int,
    draws: LocationDraws,
    shuffle_referring: bool = False,
    id: str = "",
    picture: str | None = None,
) -> DenseRecords | None:
    """The two records about the objects of a picture of that size; None where there is none to speak of.

    Boxes under 16 squared pixels are dropped; of more than twenty, twenty are drawn. shuffle_referring: the
    locations to be classified are numbered in random order (drawn after that) instead of top to bottom.
    """
    usable = [number for number, found in enumerate(objects) if found.area >= LEAST_AREA]
    if len(usable) > MOST_OBJECTS:
        usable = [usable[place] for place in sorted(draws.subset(len(usable), MOST_OBJECTS))]
    if not usable:
        return None
    order = raster_order(objects, usable, width=width, height=height)
    listed = [objects[number] for number in order]
    asked = (
        [listed[place] for place in draws.subset(len(listed), len(listed))] if shuffle_referring else listed
    )
    spots = [f"{number + 1}: <bbox_location{number}>" for number in range(len(asked))]
    named = [f"{number}: {found.words}" for number, found in enumerate(asked, start=1)]
    both = [f"{n + 1}: {found.words} <bbox_location{n}>" for n, found in enumerate(listed)]

    def record(question: GritTurn, answer: GritTurn) -> GritRecord:
        return GritRecord(id, picture, width, height, (question, answer), "dense", where=f"picture {id}")

    return DenseRecords(
        order=tuple(order),
        referring=record(
            GritTurn(HUMAN, f"{IMAGE}\n{CLASSIFY.format(', '.join(spots))}", places_of(asked)),
            GritTurn(ASSISTANT, CATEGORIES.format(", ".join(named))),
        ),
        detection=record(
            GritTurn(HUMAN, f"{IMAGE}\n{LOCALIZE}"),
            GritTurn(ASSISTANT, OBJECTS.format(", ".join(both)), places_of(listed)),
        ),
    )


def places_of(objects: Sequence[DenseObject]) -> tuple[GritPlace, ...]:
    """The places of objects, in their order."""
    return tuple(GritPlace(found.box, found.runs) for found in objects)


def raster_order(
    objects: Sequence[DenseObject], numbers: Sequence[int], *, width: int, height: int
) -> list[int]:
    """The numbers of objects, sorted from top to bottom, then left to right, by their thousandths.

    That is by (y0, x0, y1, x1) as they will be written; equal ones keep their order.
    """

    def key(number: int) -> tuple[int, ...]:
        x0, y0, x1, y1 = clamped(objects[number].box, width=width, height=height)
        return (
            thousandth(y0, height), thousandth(x0, width), thousandth(y1, height), thousandth(x1, width)
        )  # fmt: skip

    return sorted(numbers, key=key)


def dense_objects(scene: Scene) -> list[DenseObject]:
    """The objects of a scene: every named thing that is one thing."""
    return [
        DenseObject(
            thing.category, thing.box.as_tuple(), None if thing.mask is None else thing.mask.to_coco()
        )
        for thing in scene.things
        if not thing.group and thing.category != UNNAMED
    ]


def scene_records(scene: Scene, draws: LocationDraws) -> DenseRecords | None:
    """The two records about a scene; None where it has no object to speak of."""
    return dense_records(
        dense_objects(scene),
        width=scene.width,
        height=scene.height,
        draws=draws,
        id=scene.id,
        picture=scene.picture.name,
    )
