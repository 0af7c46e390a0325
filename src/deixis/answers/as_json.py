"""Answers as plain values for JSON; ``schema.json`` describes them, ``from_json`` reads them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.answers.content import AnswerContent
from deixis.answers.parts import Place, Span
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_object
from deixis.regions.frames import Frame, same_frame
from deixis.regions.shapes import Region


def answer_to_dict(answer: AnswerContent) -> dict[str, Any]:
    """Return an answer as plain values."""
    content: dict[str, Any] = {
        "text": answer.text,
        "nowhere": answer.nowhere,
        "nowhere_score": answer.nowhere_score,
        "spans": [span_to_dict(span, answer.pictures) for span in answer.spans],
        "picture": picture_to_dict(answer.pictures[0]) if answer.pictures else None,
        "system": answer.system,
        "seconds": answer.seconds,
        "finish": answer.finish,
        "question": answer.question,
        "regions": {name: region_to_dict(region, answer.pictures) for name, region in answer.regions},
    }
    if answer.unanswerable:
        content["unanswerable"] = True
    if answer.weights:
        content["weights"] = answer.weights
    if len(answer.pictures) > 1:
        content["pictures"] = [picture_to_dict(picture) for picture in answer.pictures]
    if answer.parse_failures:
        content["parse_failures"] = list(answer.parse_failures)
    if answer.raw is not None:
        content["raw"] = {"text": answer.raw.text, "ids": list(answer.raw.ids)}
        if answer.raw.logprobs:
            content["raw"]["logprobs"] = list(answer.raw.logprobs)
    return content


def picture_to_dict(picture: Picture) -> dict[str, Any]:
    """Return a picture's size and, where they are known, its file's name and the digest of its pixels."""
    content: dict[str, Any] = {"width": picture.width, "height": picture.height}
    if picture.name:
        content["name"] = picture.name
    return content | ({"digest": picture.frame.content} if picture.frame.content else {})


def span_to_dict(span: Span, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Return a span as plain values."""
    return {
        "start": span.start,
        "end": span.end,
        "phrase": span.phrase,
        "nowhere": span.nowhere,
        "nowhere_score": span.nowhere_score,
        "places": [place_to_dict(place, pictures) for place in span.places],
    }


def place_to_dict(place: Place, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Return a place as plain values; no "mask" where there is none, "picture" for all but the first."""
    content: dict[str, Any] = {"box": list(place.box.as_tuple()), "score": place.score}
    if number := number_of(place.box.frame, pictures):
        content["picture"] = number
    if place.mask is not None:
        content["mask"] = place.mask.to_coco()
    return content


def region_to_dict(region: Region, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Return a region in pixels of its picture, as in samples; "picture" for all but the first.

    A region that isn't tied to a picture is one of the first.
    """
    if not region.frame.bound:
        region = region.bind(pictures[0].frame)
    number = number_of(region.frame.root, pictures)
    content = region_object(region.to(pictures[number].frame))
    return content | ({"picture": number} if number else {})


def number_of(frame: Frame, pictures: Sequence[Picture]) -> int:
    """Return which of some pictures a frame is that of."""
    return next(number for number, picture in enumerate(pictures) if same_frame(frame, picture.frame))
