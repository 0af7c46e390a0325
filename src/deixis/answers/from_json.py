"""Answers read from JSON, strictly: what ``schema.json`` does not allow is a MalformedAnswer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from deixis.answers.content import AnswerContent
from deixis.answers.parts import Place, Raw, Span, probability
from deixis.errors import BadPicture, BadRegion, FrameMismatch, MalformedAnswer
from deixis.pictures.opening import Picture, check_size
from deixis.regions.as_objects import region_of_object
from deixis.regions.doubts import coordinates
from deixis.regions.frames import PIXELS, Frame, same_frame
from deixis.regions.shapes import Box, Mask, Region
from deixis.regions.shapes.picture_edge import EDGE_SLACK

MOST_PIXELS = 1_000_000_000  # of a picture that JSON speaks of; no memory is taken for them
LARGEST_NUMBER = 1e300
STAND_IN = 128  # the grey of a picture that was not given
ANSWER_FIELDS = ("text", "nowhere", "nowhere_score", "spans", "picture", "system", "seconds")
OPTIONAL_FIELDS = (
    "parse_failures",
    "pictures",
    "finish",
    "raw",
    "question",
    "regions",
    "weights",
    "unanswerable",
)
LONGEST_RAW = 1 << 20  # ids of an answer that is read
SPAN_FIELDS = ("start", "end", "phrase", "nowhere", "nowhere_score", "places")


def read_fields(text: str | bytes, *, picture: Picture | None) -> dict[str, Any]:
    """Return the fields of the answer that a JSON object is; MalformedAnswer says which one is wrong.

    FrameMismatch: ``picture`` has another size than the one that the answer is about.
    """
    try:
        content = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, TypeError, RecursionError) as fault:
        raise MalformedAnswer(
            f"an answer is one JSON object; this is not JSON: {fault}: {text!r:.80}"
        ) from fault
    whole = fields(content, "the answer", ANSWER_FIELDS, optional=OPTIONAL_FIELDS)
    seen = pictures_from(whole, picture)
    frames = [one.frame for one in seen]
    spans = [span_from(entry, frames) for entry in listed(whole["spans"], "spans")]
    contents: dict[str, Any] = {
        "text": words(whole["text"], "text"),
        "spans": tuple(spans),
        "pictures": tuple(seen),
        "system": words(whole["system"], "system"),
        "seconds": number(whole["seconds"], "seconds"),
        "parse_failures": tuple(
            words(entry, "parse_failures")
            for entry in listed(whole.get("parse_failures", []), "parse_failures")
        ),
        "finish": words(whole.get("finish", "stop"), "finish"),
        "raw": raw_from(whole["raw"]) if "raw" in whole else None,
        "question": words(whole.get("question", ""), "question"),
        "regions": regions_from(whole.get("regions", {}), frames),
        "weights": words(whole.get("weights", ""), "weights"),
        "unanswerable": truth(whole.get("unanswerable", False), "unanswerable"),
    }
    require_summary(whole, AnswerContent(**contents))
    return contents


def require_summary(whole: Mapping[str, Any], answer: AnswerContent) -> None:
    """Raise MalformedAnswer unless what JSON says of the whole answer follows from its spans."""
    score = whole["nowhere_score"]
    if score is not None:
        score = probability(score, "nowhere_score")
    if whole["nowhere"] is not answer.nowhere or score != answer.nowhere_score:
        raise MalformedAnswer(
            f"nowhere and nowhere_score are {whole['nowhere']!r} and {score}; from the spans follow "
            f"{answer.nowhere} and {answer.nowhere_score}"
        )


def regions_from(content: object, frames: Sequence[Frame]) -> tuple[tuple[str, Region], ...]:
    """Return what was pointed at, by name, each region in the frame of its picture."""
    if not isinstance(content, dict):
        raise MalformedAnswer(f"regions is an object of regions by name; got {content!r:.80}")
    return tuple((name, region_from(value, frames, name=name)) for name, value in content.items())


def region_from(content: object, frames: Sequence[Frame], *, name: str) -> Region:
    """Return a region in the frame of the picture that it names, the first by default."""
    own = dict(content) if isinstance(content, dict) else content
    which = number_of_picture(own.pop("picture", 0) if isinstance(own, dict) else 0, frames)
    try:
        region = region_of_object(own, PIXELS).bind(frames[which])
        require_inside(region, frames[which])
        return region.clipped(frames[which])
    except BadRegion as fault:
        raise MalformedAnswer(f"region {name!r:.80} of the answer is not usable: {fault}") from fault


def require_inside(region: Region, frame: Frame) -> None:
    """Raise BadRegion for a region that sticks out of its picture: an answer's were cut before.

    Told by its coordinates and not by the warning of ``Region.clipped``, for filters of warnings are those of
    all threads.
    """
    if isinstance(region, Mask):
        return  # as large as the picture, or it could not have been bound to it
    numbers, (width, height) = coordinates(region), frame.size
    slack = EDGE_SLACK * max(width, height)
    if min(numbers) < -slack or max(numbers[::2]) > width + slack or max(numbers[1::2]) > height + slack:
        raise BadRegion(f"it sticks out of the picture {frame}")


def raw_from(content: object) -> Raw:
    """Return what a network wrote, from plain values."""
    values = fields(content, "raw", ("text", "ids"), optional=("logprobs",))
    ids = listed(values["ids"], "ids")
    if len(ids) > LONGEST_RAW:
        raise MalformedAnswer(f"raw holds {len(ids):,} ids; at most {LONGEST_RAW:,}")
    logprobs = [number(one, "a log-probability") for one in listed(values.get("logprobs", []), "logprobs")]
    return Raw(
        words(values["text"], "raw text"), tuple(whole_number(i, "an id") for i in ids), tuple(logprobs)
    )


def pictures_from(whole: Mapping[str, Any], given: Picture | None) -> list[Picture]:
    """Return the pictures that an answer is about; ``given`` is the first of them."""
    if whole["picture"] is None:
        if "pictures" in whole:
            raise MalformedAnswer("an answer about no picture (picture is null) lists pictures")
        return []
    listed_ones = listed(whole.get("pictures", [whole["picture"]]), "pictures")
    if not listed_ones or listed_ones[0] != whole["picture"]:
        raise MalformedAnswer("picture is not the first of pictures; expected the same in both")
    return [picture_from(entry, given if n == 0 else None) for n, entry in enumerate(listed_ones)]


def picture_from(content: object, given: Picture | None) -> Picture:
    """Return the picture of plain values: the one that was given, or a grey one."""
    size = fields(content, "picture", ("width", "height"), optional=("name", "digest"))
    width, height = whole_number(size["width"], "width"), whole_number(size["height"], "height")
    return picture_of(
        width,
        height,
        given,
        name=words(size.get("name", ""), "name"),
        content=words(size.get("digest", ""), "digest"),
    )


def picture_of(
    width: int, height: int, given: Picture | None, *, name: str = "", content: str = ""
) -> Picture:
    """Return the picture that was given, if it is this one, or a grey one.

    name: its file's name, if known; content: its digest, if known.
    """
    try:
        check_size(width, height, max_pixels=MOST_PIXELS, name="of the answer")
        frame = Frame.original(width, height, content=content)
    except (BadPicture, BadRegion) as fault:
        raise MalformedAnswer(str(fault)) from fault
    if given is None:
        return Picture(np.broadcast_to(np.uint8(STAND_IN), (height, width, 3)), frame, name)
    if given.frame.size != (width, height):
        raise FrameMismatch(
            f"the answer is about a picture of {width} x {height}; the one given is {given.frame}; "
            "give the picture that was asked about"
        )
    if not same_frame(given.frame, frame):
        raise FrameMismatch(
            f"the answer is about another picture of {width} x {height} than the one given; give the picture "
            "that was asked about"
        )
    return given


def span_from(content: object, frames: Sequence[Frame]) -> Span:
    """Return the span of plain values, with its places in one of ``frames``."""
    values = fields(content, "a span", SPAN_FIELDS)
    if not isinstance(values["nowhere"], bool):
        raise MalformedAnswer(f"nowhere is true or false; got {values['nowhere']!r:.80}")
    return Span(
        start=whole_number(values["start"], "start"),
        end=whole_number(values["end"], "end"),
        phrase=words(values["phrase"], "phrase"),
        places=tuple(place_from(entry, frames) for entry in listed(values["places"], "places")),
        nowhere=values["nowhere"],
        nowhere_score=values["nowhere_score"],
    )


def place_from(content: object, frames: Sequence[Frame]) -> Place:
    """Return the place of plain values in the frame of the picture that it names, the first by default."""
    values = fields(content, "a place", ("box", "score"), optional=("mask", "picture"))
    frame = frames[number_of_picture(values.get("picture", 0), frames)]
    edges = [number(edge, "an edge of a box") for edge in listed(values["box"], "box")]
    if len(edges) != 4:
        raise MalformedAnswer(f"a box is [x0, y0, x1, y1]; got {len(edges)} numbers")
    try:
        mask = None
        if "mask" in values:
            words(fields(values["mask"], "a mask", ("size", "counts"))["counts"], "counts")
            mask = Mask.from_coco(values["mask"], frame=frame)
        return Place(Box(*edges, frame=frame), values["score"], mask)
    except BadRegion as fault:
        raise MalformedAnswer(f"a place of the answer is not usable: {fault}") from fault


def number_of_picture(content: object, frames: Sequence[Frame]) -> int:
    """Return which of the answer's pictures something is in."""
    which = whole_number(content, "picture")
    if not 0 <= which < len(frames):
        raise MalformedAnswer(
            f"something is in picture {which}; the answer is about {len(frames)}, from 0 on"
        )
    return which


def refuse_constant(name: str) -> NoReturn:
    """Raise ValueError for NaN and Infinity, which JSON does not know."""
    raise ValueError(f"{name} is not a number")


def fields(
    content: object, what: str, names: Sequence[str], *, optional: Sequence[str] = ()
) -> Mapping[str, Any]:
    """Return a JSON object that has just these names."""
    if not isinstance(content, dict):
        raise MalformedAnswer(f"{what} is an object with {', '.join(names)}; got {content!r:.80}")
    missing = [name for name in names if name not in content]
    unknown = [name for name in content if name not in (*names, *optional)]
    if missing or unknown:
        raise MalformedAnswer(
            f"{what} has the fields {', '.join(names)}; missing: {', '.join(missing) or 'none'}, "
            f"unknown: {', '.join(unknown) or 'none'}"
        )
    return content


def listed(content: object, what: str) -> list[Any]:
    """Return a JSON list."""
    if not isinstance(content, list):
        raise MalformedAnswer(f"{what} is a list; got {content!r:.80}")
    return content


def words(content: object, what: str) -> str:
    """Return a JSON string."""
    if not isinstance(content, str):
        raise MalformedAnswer(f"{what} is a string; got {content!r:.80}")
    return content


def number(content: object, what: str) -> float:
    """Return a JSON number that is finite and of ordinary size (true and false are none)."""
    if isinstance(content, bool) or not isinstance(content, int | float) or not abs(content) < LARGEST_NUMBER:
        raise MalformedAnswer(f"{what} is a finite number; got {content!r:.80}")
    return float(content)


def truth(content: object, what: str) -> bool:
    """Return a JSON truth value."""
    if not isinstance(content, bool):
        raise MalformedAnswer(f"{what} is true or false; got {content!r:.80}")
    return content


def whole_number(content: object, what: str) -> int:
    """Return a JSON number without a fraction."""
    if not isinstance(content, int) or isinstance(content, bool):
        raise MalformedAnswer(f"{what} is a whole number; got {content!r:.80}")
    return content
