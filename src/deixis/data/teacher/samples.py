"""Samples as files have them: of painted regions, of Ferret's instruction data, and of Groma Instruct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deixis.data.grit.records import ASSISTANT, HUMAN, GritRecord, GritTurn
from deixis.data.grit.tasks import place_of
from deixis.data.scene import Thing
from deixis.data.teacher.lesson import Lesson, Stored
from deixis.painting.outlines import outlines_of
from deixis.text.region_marks import ground_marks, phrase_marks
from deixis.text.templates import IMAGE


def region_sample(lesson: Lesson, stored: Stored, turns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a sample that ``painted.records`` reads; boxes and outlines in pixels of the stored picture."""
    things = [stored.scene.thing(number) for number in lesson.things]
    sample: dict[str, Any] = {
        "id": lesson.id,
        "image": stored.image,
        "bboxes": [list(thing.box.as_tuple()) for thing in things],
    }
    if any(thing.mask is not None for thing in things):
        sample["segmentations"] = [outlines(thing) for thing in things]
    sides = [(HUMAN, ASSISTANT)] * len(turns)
    sample["conversations"] = [
        {"from": side, "value": text}
        for pair, turn in zip(sides, turns, strict=True)
        for side, text in zip(pair, turn, strict=True)
    ]
    return sample


def outlines(thing: Thing) -> list[list[float]]:
    """Return a thing's outlines as flat lists x, y, x, y, ...; none where it has no mask."""
    if thing.mask is None:
        return []
    return [[edge for point in part for edge in point] for part in outlines_of(thing.mask.rasterise())]


def grit_sample(
    lesson: Lesson, stored: Stored, turns: Sequence[tuple[str, Sequence[int]]], *, dataset: str
) -> dict[str, Any]:
    """Return a sample that ``grit.records`` reads. turns: text, and the ids of the things that fill it."""
    said = [
        GritTurn(
            ASSISTANT if index % 2 else HUMAN,
            text if index else f"{IMAGE}\n{text}",
            tuple(place_of(stored.scene.thing(number)) for number in things),
        )
        for index, (text, things) in enumerate(turns)
    ]
    record = GritRecord(
        lesson.id, stored.image, stored.scene.width, stored.scene.height, tuple(said), dataset, lesson.id
    )
    return record.as_json()


def instruct_sample(
    lesson: Lesson,
    stored: Stored,
    turns: Sequence[tuple[str, str, Sequence[tuple[str, tuple[int, ...]]]]],
) -> dict[str, Any]:
    """Return a sample of Groma Instruct; boxes x y width height in pixels of the stored picture.

    turns: a question, its answer with ``{}`` for each phrase that has places, and these phrases, each with
    the places among the lesson's things, from 0.
    """
    conversation: list[dict[str, Any]] = []
    for question, answer, phrases in turns:
        marked = [phrase_marks(phrase) + ground_marks(len(places)) for phrase, places in phrases]
        means = [place for _, places in phrases for place in places]
        conversation.append({"from": HUMAN, "value": question})
        conversation.append({"from": ASSISTANT, "value": answer.format(*marked), "box_inds": means})
    boxes = [stored.scene.thing(number).box for number in lesson.things]
    return {
        "id": lesson.id,
        "file_name": stored.image,
        "width": stored.scene.width,
        "height": stored.scene.height,
        "boxes": [[box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0] for box in boxes],
        "conversation": conversation,
    }


def grit_record_sample(record: GritRecord, stored: Stored, *, id: str) -> dict[str, Any]:
    """Return a record that was made of a stored scene, as a sample about its picture."""
    return replace(record, id=id, picture=stored.image).as_json()
