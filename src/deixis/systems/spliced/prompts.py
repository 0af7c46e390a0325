"""Questions and answers as texts of a dialect: regions where they are named, boxes behind phrases.

The words themselves may come from anyone: special tokens in them are taken apart, and coordinates typed in
them, of whatever frame, stay words that point at nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from deixis.answers.grounded import Answer, Span
from deixis.answers.reading.boxed_phrases import read_boxes
from deixis.data.grit.conversion import ReferringTurn
from deixis.data.grit.dense import CLASSIFY, LOCALIZE
from deixis.errors import FrameMismatch, UsageError
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Mark, Turn
from deixis.regions.frames import Frame, same_frame
from deixis.regions.names import split_names, unknown_name
from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Box, Mask, Region
from deixis.systems.spliced.dialect import Dialect, Variant, WrittenRegion
from deixis.text.prompt_tokens import neutralised
from deixis.text.templates import IMAGE, Exchange

ASKS_FOR_PLACES = re.compile(
    r"^\s*(?:where|find|locate|localize|detect|show me|point (?:at|to))\b"
    r"|\b(?:bounding box|coordinates|locations?)\b",
    re.IGNORECASE,
)
DENSE = (CLASSIFY.split("{")[0].strip(), LOCALIZE)  # these say by themselves what is wanted
Found = list[tuple[Region, WrittenRegion]]
"""The region behind each region token, in the order of the tokens, and what it was written as."""


def asked(
    question: str,
    regions: Mapping[str, Region],
    *,
    dialect: Dialect,
    specials: Sequence[str],
    variant: Variant = "eval",
    meant: Mapping[str, Box | Mask] | None = None,
) -> tuple[str, Found]:
    """Return a question whose ``{names}`` became coordinates and region tokens, and these tokens' regions.

    Regions are in pixels of the original. One that is named twice gets a token each time. meant: name of a
    region -> the object that it points at, for training. UsageError for a name without a region.

    """
    text = ""
    found: Found = []
    for part in split_names(question):
        text += neutralised(part.words, specials)
        if part.name is None:
            continue
        region = regions.get(part.name)
        if region is None:
            raise UsageError(unknown_name(part.name, sorted(regions)))
        written = dialect.write_region(region, variant=variant, meant=(meant or {}).get(part.name))
        text += written.text
        found.append((region, written))
    return text, found


def answered(answer: str, marks: Sequence[Mark], *, dialect: Dialect, specials: Sequence[str]) -> str:
    """Return an answer with the boxes of every mark behind its phrase.

    A mark without boxes, whose phrase is not in the picture, gets none.
    """
    text, end = "", 0
    for mark in marks:
        text += neutralised(answer[end : mark.end], specials)
        boxes = (dialect.write_box(box) for box in mark.boxes)
        text += "".join(f" {box}" for box in boxes if box)
        end = mark.end
    return text + neutralised(answer[end:], specials)


def located(found: Found, pictures: Sequence[Picture]) -> tuple[tuple[RegionPixels, int], ...]:
    """Return the pixels of the regions that have a vector, with the number of the picture that each is in.

    FrameMismatch for a region of none of the pictures.
    """
    return tuple(
        (written.pixels, picture_of(region, [picture.frame for picture in pictures]))
        for region, written in found
        if written.pixels is not None
    )


def picture_of(region: Region, frames: Sequence[Frame]) -> int:
    """Return which of some originals a region is in; FrameMismatch for none of them."""
    for number, frame in enumerate(frames):
        if same_frame(region.frame.root, frame.root):
            return number
    raise FrameMismatch(
        f"a region is in frame {region.frame}, but the pictures are {', '.join(map(str, frames)) or 'none'}"
    )


def requesting(question: str, request: str, *, placed: bool = False) -> str:
    """Return a question with the request for coordinates behind it, if it asks for places.

    placed: its answer is known to have places. A question that ends with the request already stays as it is,
    as do those of dense referring and detection.

    >>> requesting("Where is the dog?", " Give boxes.")
    'Where is the dog? Give boxes.'
    """
    asks = placed or ASKS_FOR_PLACES.search(question) is not None
    if not asks or question.endswith(request) or question.strip().startswith(DENSE):
        return question
    return question + request


def exchanges(
    turns: Sequence[Turn],
    *,
    dialect: Dialect,
    specials: Sequence[str],
    request: str = "",
    variant: Variant = "eval",
    shown: Sequence[int] | None = None,
) -> tuple[list[Exchange], Found]:
    """Return turns as texts, pictures in front of the questions that bring them, and all their regions.

    request: see ``requesting``. shown: how many pictures each turn brings; by default the first brings one.
    """
    if shown is None:
        shown = [1, *[0] * len(turns)][: len(turns)]
    texts: list[Exchange] = []
    found: Found = []
    for turn, pictures in zip(turns, shown, strict=True):
        placed = any(mark.boxes for mark in turn.marks)
        question = requesting(turn.question, request, placed=placed)
        # What an object's pixels are is known in training only; an answerer sees what was pointed at.
        meant = dict(turn.meant) if variant == "train" and isinstance(turn, ReferringTurn) else None
        question, own = asked(
            question, dict(turn.regions), dialect=dialect, specials=specials, variant=variant, meant=meant
        )
        found += own
        answer = answered(turn.answer, turn.marks, dialect=dialect, specials=specials)
        texts.append((with_pictures(question, pictures), answer))
    return texts, found


def with_pictures(question: str, count: int) -> str:
    """Return a question with so many pictures in front.

    >>> with_pictures(" What is this?", 1)
    '<image>\\nWhat is this?'
    """
    return f"{IMAGE}\n" * count + question.strip() if count else question


def turn_of(answer: Answer) -> Turn:
    """Return an earlier answer as a turn, with its places as marks."""
    marks = tuple(Mark(span.start, span.end, boxes_behind(span)) for span in answer.spans)
    return Turn(answer.question, answer.text, marks, answer.regions)


def boxes_behind(span: Span) -> tuple[Box, ...]:
    """Return the boxes of a span that its phrase doesn't spell out: without words, it is its first box."""
    in_words = [written.box for written in read_boxes(span.phrase)[0]]
    boxes = (place.box for place in span.places)
    return tuple(box for box in boxes if box not in [one.clipped(box.frame) for one in in_words])
