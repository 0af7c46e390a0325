"""From a record to a painted dialogue."""

from __future__ import annotations

from deixis.data.painted.captions import caption_instruction
from deixis.data.painted.choices import visual7w_instruction
from deixis.data.painted.instruction import Instruction
from deixis.data.painted.objects import (
    look_twice_instruction,
    object_dialogue,
    object_instruction,
    relation_dialogue,
    relation_instruction,
)
from deixis.data.painted.records import DIALOGUE, RegionRecord
from deixis.data.painted.vcr import Asked, vcr_instruction
from deixis.painting.draws import Draws
from deixis.painting.silhouette import Edges
from deixis.text.templates import IMAGE


def build(
    record: RegionRecord, draws: Draws, *, form: Asked = "train", published: bool = False
) -> Instruction:
    """Return a record's dialogue, its marks drawn.

    form: what VCR asks. published: RefCOCOg and Visual Genome without their picture, and marks in one colour,
    as the released code has it.
    """
    if record.kind == DIALOGUE:
        return Instruction(marker_first(record), ())
    if record.kind == "refcocog":
        (thing,) = record.things
        if record.turns:
            return object_dialogue(thing, record.turns, draws)
        return object_instruction(thing, record.answer, draws, published=published)
    if record.kind == "vg_rel":
        first, second = record.things
        pair: tuple[Edges, Edges] = (first.box, second.box)
        if record.turns:
            return relation_dialogue(pair, record.turns, draws, published=published)
        return relation_instruction(pair, record.answer, draws, published=published)
    if record.kind == "flickr30k":
        return caption_instruction(record.text, record.phrases, draws)
    if record.kind == "v7w":
        assert record.right is not None
        return visual7w_instruction(record.text, [one.box for one in record.things], record.right, draws)
    if record.kind == "pointQA_twice":
        return look_twice_instruction(record.things[0].box, record.text, record.answer)
    assert record.question is not None and record.scene is not None
    return vcr_instruction(record.question, record.scene, draws, form=form)


def marker_first(record: RegionRecord) -> tuple[tuple[str, str], ...]:
    """Return a dialogue's turns with the picture's marker on a line in front of the first question.

    Published files have it before or behind the question; the picture is read first.
    """
    turns = [
        (question.replace(IMAGE, "").strip(), answer.replace(IMAGE, "")) for question, answer in record.turns
    ]
    (question, answer), *rest = turns
    first = (f"{IMAGE}\n{question}", answer) if record.image else (question, answer)
    return (first, *rest)
