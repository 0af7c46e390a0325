"""A record with its locations chosen, as a dialogue of ours that any system can learn from.

"What is <bbox_location0>?"                    ->  "What is {region0}?", where region0 is a point or a box
"No, but there is a cup <bbox_location0>."     ->  "No, but there is a cup." with a box for "a cup"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deixis.data.grit.locations import Location
from deixis.data.grit.records import PLACEHOLDER, GritPlace, GritRecord, GritTurn
from deixis.data.grit.rendering import Spelling, requested
from deixis.english.word_classes import PREPOSITIONS
from deixis.errors import RecordError
from deixis.records.dialogue import Dialogue, Mark, Turn
from deixis.regions.carrying import carried
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Region
from deixis.text.templates import IMAGE

GROUP = re.compile(rf"\s?{PLACEHOLDER.pattern}(?:(?:\s*,\s*|\s+and\s+|\s*){PLACEHOLDER.pattern})*")
CLAUSE_ENDS = re.compile(r"[.,;:!?\n]|\b\d+:\s")
VERBS = re.compile(r"\b(?:is|are|was|were|be|has|have|had|but|and|or|there|here|see|shows?)\b", re.IGNORECASE)
WORDLESS = "here"


@dataclass(frozen=True)
class ReferringTurn(Turn):
    """A turn that also says what its regions were drawn for.

    meant: name of a region -> the box or mask of what it points at. Ferret's training shows its sampler only
    what a region shares with that.
    """

    meant: tuple[tuple[str, Box | Mask], ...] = ()


def record_dialogue(
    record: GritRecord, locations: Sequence[Sequence[Location]], frame: Frame, *, request: str = ""
) -> Dialogue:
    """The dialogue of a record, in a frame of the opened picture.

    request: what is added to the first question where `Spelling.request` would be. RecordError: the picture
    has another size than the record says, or the record ends with a question.
    """
    places = any(turn.places for turn in record.turns)
    if places and tuple(map(round, frame.root.size)) != record.size:
        raise RecordError(
            f"{record.where}: image_w and image_h are {record.size}, but the picture has the size "
            f"{tuple(map(round, frame.root.size))}; is {record.picture!r} another version of it?"
        )
    if len(record.turns) % 2:
        raise RecordError(f"{record.where}: ends with a question; expected an answer after every one")
    turns = []
    for index in range(0, len(record.turns), 2):
        asked, answered = record.turns[index : index + 2]
        text = requested(asked, record, Spelling(request=request)) if index == 0 else asked.text
        question, regions, meant = question_of(text, asked, locations[index], frame)
        answer, marks = answer_of(answered, frame)
        turns.append(ReferringTurn(question, answer, marks, regions, meant))
    return Dialogue(record.dataset or "grit", tuple(turns))


def question_of(
    text: str, turn: GritTurn, found: Sequence[Location], frame: Frame
) -> tuple[str, tuple[tuple[str, Region], ...], tuple[tuple[str, Box | Mask], ...]]:
    """A question with names in braces, its regions, and what they were drawn for."""
    regions: dict[str, Region] = {}
    meant: dict[str, Box | Mask] = {}
    # Braces would name regions; a question that has some of its own gets parentheses.
    text = text.translate(str.maketrans("{}", "()"))
    for number in dict.fromkeys(turn.placeholders):
        name, location = f"region{number}", found[number]
        box = box_of(turn.places[number], frame.root)
        point = None if location.point is None else Point(*location.point, frame=frame.root)
        regions[name] = carried(point or box, frame)
        segment = location.segment
        meant[name] = box.to(frame) if segment is None else carried_mask(segment, frame)
    asked = PLACEHOLDER.sub(lambda match: f"{{region{int(match[1])}}}", text.replace(IMAGE, "")).strip()
    return asked, tuple(regions.items()), tuple(meant.items())


def answer_of(turn: GritTurn, frame: Frame) -> tuple[str, tuple[Mark, ...]]:
    """An answer without its placeholders, and the phrases before them with their boxes.

    Placeholders with nothing but commas, spaces or "and" between them belong to one phrase. Where no word is
    before one, the word "here" is put for it.
    """
    text, end = "", 0
    marks: list[Mark] = []
    for match in GROUP.finditer(turn.text):
        text += turn.text[end : match.start()]
        start = phrase_start(text, after=marks[-1].end if marks else 0)
        if start == len(text):
            text += " " * bool(match[0][:1].isspace() and text) + WORDLESS
            start = len(text) - len(WORDLESS)
        boxes = tuple(
            box_of(turn.places[int(number)], frame.root).to(frame) for number in PLACEHOLDER.findall(match[0])
        )
        marks.append(Mark(start, len(text), boxes))
        end = match.end()
    return text + turn.text[end:], tuple(marks)


def phrase_start(text: str, *, after: int) -> int:
    """Where the noun phrase that ends a text begins; the end of the text if it ends with none.

    It lies in the last clause, behind its last verb or conjunction, and, if a preposition follows at once,
    behind the last preposition: "the cat" of "is on the left of the cat".

    >>> text = "No, but there is a dog"
    >>> text[phrase_start(text, after=0) :]
    'a dog'
    """
    start = max([after, *(match.end() for match in CLAUSE_ENDS.finditer(text))])
    verbs = [match.end() for match in VERBS.finditer(text, start)]
    if verbs:
        start = verbs[-1]
        words = list(re.finditer(r"\S+", text[start:]))
        if words and words[0][0].lower() in PREPOSITIONS:
            start += max(word.end() for word in words if word[0].lower() in PREPOSITIONS)
    return start + len(text[start:]) - len(text[start:].lstrip())


def box_of(place: GritPlace, original: Frame) -> Box:
    """The box of a place, cut at the picture's edges and at least a pixel wide and high."""
    width, height = original.size
    x0, y0 = min(max(place.box[0], 0.0), width - 1), min(max(place.box[1], 0.0), height - 1)
    x1, y1 = min(max(place.box[2], 0.0), width), min(max(place.box[3], 0.0), height)
    return Box(x0, y0, x1 if x1 > x0 else x0 + 1, y1 if y1 > y0 else y0 + 1, frame=original)


def carried_mask(mask: Mask, frame: Frame) -> Box | Mask:
    """A mask of the original picture in another frame, or its box where it is too small for a pixel there."""
    there = carried(mask.bind(frame.root), frame)
    assert isinstance(there, Box | Mask)
    return there
