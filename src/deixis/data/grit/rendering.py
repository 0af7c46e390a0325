"""A record with its locations chosen, as the text that a system of the Ferret family learns from.

What is <bbox_location0>?   ->   What is [333, 340] <region_fea>?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.answers.reading.dialects import REGION_TOKEN, coordinate_text
from deixis.data.grit.locations import Location
from deixis.data.grit.records import HUMAN, PLACEHOLDER, GritRecord, GritTurn
from deixis.text.templates import picture_first

PROVIDE_BOXES = "\nProvide the bounding boxes of the mentioned objects."
INCLUDE_COORDINATES = "\nInclude the coordinates for each mentioned object."
# Kinds of sources whose answers have boxes that the question does not speak of, as both generations name
# them.
GROUNDED = ("grounded_llava_boxes", "llava_grounded", "refexp", "flickr", "flickr_entities", "objects365")


@dataclass(frozen=True)
class Spelling:
    """How locations are written: by coordinates, a region token, or both.

    refer_previous_point: an answer repeats the point instead of the box of something that a question pointed
    at with a point. coordinates False leaves only the token (and nothing in answers). request: what is added
    to the first question of a record of one of the GROUNDED kinds.
    """

    coordinates: bool = True
    region_tokens: bool = True
    refer_previous_point: bool = False
    request: str = ""


@dataclass(frozen=True)
class RenderedRecord:
    """Turns as (speaker, text), and the location behind every region token, in order of appearance."""

    turns: tuple[tuple[str, str], ...]
    regions: tuple[Location, ...]


def render_record(
    record: GritRecord, locations: Sequence[Sequence[Location]], spelling: Spelling | None = None
) -> RenderedRecord:
    """The text of a record for the locations that `choose_locations` made.

    A placeholder that occurs twice gets two tokens and two regions. `<image>` moves to the front of its turn.
    """
    how = spelling or Spelling()
    texts, regions = [], []
    pointed: dict[tuple[float, ...], tuple[float, float]] = {}
    for index, (turn, found) in enumerate(zip(record.turns, locations, strict=True)):
        asks = turn.speaker == HUMAN
        if asks:
            pointed |= {location.box: location.point for location in found if location.point is not None}
            if how.region_tokens:
                regions += [found[number] for number in turn.placeholders]
        elif how.refer_previous_point:
            found = [Location(location.box, pointed.get(location.box)) for location in found]
        text = requested(turn, record, how) if index == 0 else turn.text
        spelt = [spell(location, record, how, token=asks) for location in found]
        texts.append((turn.speaker, picture_first(filled(text, spelt))))
    return RenderedRecord(tuple(texts), tuple(regions))


def filled(text: str, spelt: Sequence[str]) -> str:
    """The text with its placeholders replaced, by their numbers.

    >>> filled("<bbox_location1> or <bbox_location0>", ["[1, 2]", "[3, 4]"])
    '[3, 4] or [1, 2]'
    """
    return PLACEHOLDER.sub(lambda match: spelt[int(match[1])], text)


def spell(location: Location, record: GritRecord, how: Spelling, *, token: bool) -> str:
    """One location as text."""
    width, height = record.size
    words = [coordinate_text(location.coordinates, width=width, height=height)] if how.coordinates else []
    return " ".join(words + [REGION_TOKEN] * (token and how.region_tokens))


def requested(turn: GritTurn, record: GritRecord, how: Spelling) -> str:
    """The first question, with the request for boxes where its kind of source has one."""
    return turn.text + how.request if record.dataset in GROUNDED else turn.text
