"""An answer: text, the phrases in it that speak of places, and those places, in pixels of the original picture."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import MalformedAnswer
from deixis.pictures.opening import Picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Region

if TYPE_CHECKING:
    from PIL import Image

EDGE_SLACK = 1e-6  # of float arithmetic when a box is carried back to the original frame


def share(value: float, what: str) -> float:
    """Return a number in 0..1; MalformedAnswer for any other."""
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise MalformedAnswer(f"{what} is {value}; expected a number from 0 to 1")
    return float(value)


@dataclass(frozen=True)
class Place:
    """Where something is: a box in the original frame, how sure (0..1), and a mask where a system gives one."""

    box: Box
    score: float
    mask: Mask | None = None

    def __post_init__(self) -> None:
        share(self.score, "the score of a place")
        if self.box.frame.parent is not None or not self.box.frame.bound:
            raise MalformedAnswer(
                f"a place is in pixels of the original picture; this box is in frame {self.box.frame}"
            )
        width, height = self.box.frame.size
        low, high = min(self.box.x0, self.box.y0), max(self.box.x1 - width, self.box.y1 - height)
        if low < -EDGE_SLACK or high > EDGE_SLACK:
            raise MalformedAnswer(f"place {self.box.as_tuple()} sticks out of the picture {self.box.frame}")


@dataclass(frozen=True)
class Span:
    """A phrase of the answer, ``text[start:end]``, with its places, best first.

    nowhere: what the phrase means is not in the picture; nowhere_score: how likely that is.
    """

    start: int
    end: int
    phrase: str
    places: tuple[Place, ...] = ()
    nowhere: bool = False
    nowhere_score: float = 0.0

    def __post_init__(self) -> None:
        share(self.nowhere_score, "the nowhere_score of a span")
        if not 0 <= self.start < self.end:
            raise MalformedAnswer(f"a span from {self.start} to {self.end} has no characters")
        if self.nowhere and self.places:
            raise MalformedAnswer(f"{self.phrase!r} is said to be nowhere, but has {len(self.places)} places")
        scores = [place.score for place in self.places]
        if scores != sorted(scores, reverse=True):
            raise MalformedAnswer(f"the places of {self.phrase!r} are not sorted by score: {scores}")


@dataclass(frozen=True)
class Answer:
    """What a system answered to one question about one picture."""

    text: str
    spans: tuple[Span, ...]
    picture: Picture = field(repr=False)
    system: str
    seconds: float
    parse_failures: tuple[str, ...] = ()
    question: str = ""
    regions: tuple[tuple[str, Region], ...] = ()

    def __post_init__(self) -> None:
        end = 0
        for span in self.spans:
            if span.start < end or self.text[span.start : span.end] != span.phrase:
                raise MalformedAnswer(
                    f"span {span.start}:{span.end} should read {span.phrase!r} in {self.text!r} and start at {end} or later"
                )
            end = span.end
            for place in span.places:
                if place.box.frame.size != self.picture.frame.size:
                    raise MalformedAnswer(
                        f"a place of {place.box.frame} in an answer about {self.picture.frame}"
                    )

    @property
    def nowhere(self) -> bool:
        """Whether what was asked for is not in the picture: there are spans, and none has a place."""
        return bool(self.spans) and all(span.nowhere for span in self.spans)

    @property
    def nowhere_score(self) -> float | None:
        """How likely it is that what was asked for is not in the picture; None where no place was asked for.

        With several spans it is that of the least likely to be absent: all must be missing for nothing to be there.
        """
        return min((span.nowhere_score for span in self.spans), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain values, as ``answer_schema`` describes them."""
        content: dict[str, Any] = {
            "text": self.text,
            "nowhere": self.nowhere,
            "nowhere_score": self.nowhere_score,
            "spans": [span_to_dict(span) for span in self.spans],
            "picture": {"width": self.picture.width, "height": self.picture.height},
            "system": self.system,
            "seconds": self.seconds,
        }
        if self.parse_failures:
            content["parse_failures"] = list(self.parse_failures)
        return content

    def to_json(self) -> str:
        """Return the answer as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, picture: Picture | None = None) -> Answer:
        """Return the answer of a line of JSON; MalformedAnswer if it isn't one.

        picture: the picture it speaks of, for drawing; a grey one of the right size stands in for it.
        """
        try:
            content = json.loads(text)
            size = content["picture"]
            frame = Frame.original(int(size["width"]), int(size["height"]))
            if picture is None:
                picture = Picture(np.full((int(size["height"]), int(size["width"]), 3), 128, np.uint8), frame)
            return cls(
                text=content["text"],
                spans=tuple(span_from_dict(span, picture.frame) for span in content["spans"]),
                picture=picture,
                system=content["system"],
                seconds=float(content["seconds"]),
                parse_failures=tuple(content.get("parse_failures", ())),
            )
        except MalformedAnswer:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise MalformedAnswer(
                f"this is not an answer as JSON: {type(fault).__name__} {fault}: {text[:80]!r}"
            ) from fault

    def draw(self) -> Image.Image:
        """Return the picture with the answer, its places and the regions that were pointed at drawn on it."""
        from deixis.answers.drawing import draw

        return draw(self)


def span_to_dict(span: Span) -> dict[str, Any]:
    """Return a span as plain values."""
    places = []
    for place in span.places:
        values: dict[str, Any] = {"box": list(place.box.as_tuple()), "score": place.score}
        if place.mask is not None:
            values["mask"] = place.mask.to_coco()
        places.append(values)
    return {
        "start": span.start,
        "end": span.end,
        "phrase": span.phrase,
        "nowhere": span.nowhere,
        "nowhere_score": span.nowhere_score,
        "places": places,
    }


def span_from_dict(content: dict[str, Any], frame: Frame) -> Span:
    """Return the span of plain values, with boxes in ``frame``."""
    places = []
    for values in content["places"]:
        x0, y0, x1, y1 = map(float, values["box"])
        mask = Mask.from_coco(values["mask"], frame=frame) if "mask" in values else None
        places.append(Place(Box(x0, y0, x1, y1, frame=frame), float(values["score"]), mask))
    return Span(
        start=int(content["start"]),
        end=int(content["end"]),
        phrase=str(content["phrase"]),
        places=tuple(places),
        nowhere=bool(content["nowhere"]),
        nowhere_score=float(content["nowhere_score"]),
    )


@cache
def answer_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of ``Answer.to_json``."""
    return json.loads(resources.files("deixis.answers").joinpath("schema.json").read_text(encoding="utf-8"))
