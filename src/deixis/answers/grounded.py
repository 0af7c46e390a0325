"""An answer: text, the phrases in it that speak of places, and those places in pixels of the original."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from deixis.errors import MalformedAnswer, UsageError
from deixis.pictures.opening import Picture
from deixis.regions.frames import same_frame
from deixis.regions.shapes import Box, Mask, Region

if TYPE_CHECKING:
    from PIL import Image


Finish = Literal["stop", "length", "cancelled"]
"""Why an answer ended: it was over, it was as long as allowed, or nobody waited for it any more."""


@dataclass(frozen=True)
class Place:
    """Where something is: a box in the original picture, how sure (0..1), and maybe a mask."""

    box: Box
    score: float
    mask: Mask | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "score", probability(self.score, "the score of a place"))
        frame = self.box.frame
        if frame.parent is not None or not frame.bound:
            raise MalformedAnswer(
                f"a place is in pixels of the original picture, but this box is in frame {frame}; "
                "carry it over: box.to(picture.frame) (after box.bind(picture.frame) if its frame is not "
                "bound)"
            )
        width, height = frame.size
        if min(self.box.x0, self.box.y0) < 0 or self.box.x1 > width or self.box.y1 > height:
            raise MalformedAnswer(
                f"place {self.box.as_tuple()} sticks out of the picture {frame}; cut it: "
                "box.clipped(picture.frame)"
            )
        if self.mask is not None and not same_frame(self.mask.frame, frame):
            raise MalformedAnswer(
                f"the mask of a place is in frame {self.mask.frame}, its box in frame {frame}"
            )


@dataclass(frozen=True)
class Span:
    """A phrase of the answer, ``text[start:end]``, with its places, best first.

    nowhere: what the phrase means is not in the picture. nowhere_score: how likely that is, 0..1; None where
    a system does not say, which it must do of a phrase that is nowhere.
    """

    start: int
    end: int
    phrase: str
    places: tuple[Place, ...] = ()
    nowhere: bool = False
    nowhere_score: float | None = None

    def __post_init__(self) -> None:
        for name, kind in (("start", int), ("end", int), ("nowhere", bool), ("places", tuple)):
            object.__setattr__(self, name, kind(getattr(self, name)))
        if not 0 <= self.start < self.end:
            raise MalformedAnswer(
                f"a span goes from 0 or more to a larger end; got {self.start} to {self.end}"
            )
        if self.nowhere and self.places:
            raise MalformedAnswer(f"{self.phrase!r} is said to be nowhere, but has {len(self.places)} places")
        if self.nowhere_score is not None:
            score = probability(self.nowhere_score, f"the nowhere_score of {self.phrase!r}")
            object.__setattr__(self, "nowhere_score", score)
        elif self.nowhere:
            raise MalformedAnswer(
                f"{self.phrase!r} is said to be nowhere; expected a nowhere_score beside it"
            )
        scores = [place.score for place in self.places]
        if scores != sorted(scores, reverse=True):
            raise MalformedAnswer(f"the places of {self.phrase!r} are sorted best first; got scores {scores}")


@dataclass(frozen=True)
class Raw:
    """What a network wrote, to the letter: what a later question about the same is put behind.

    ids: of its own vocabulary, the end token too where there is one. logprobs: of each id, where they were
    asked for.
    """

    text: str
    ids: tuple[int, ...]
    logprobs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("ids", "logprobs"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.logprobs and len(self.logprobs) != len(self.ids):
            raise MalformedAnswer(
                f"{len(self.ids)} ids came with {len(self.logprobs)} log-probabilities; expected one each"
            )


@dataclass(frozen=True)
class Answer:
    """What a system answered to one question about some pictures: mostly one, maybe several or none.

    pictures: a single one may be given as it is. The box of every place is in the frame of one of them.
    pictures, question and regions are kept for drawing; of these JSON holds the pictures' sizes. Two answers
    are equal whatever the pixels of their pictures. raw: None for an answer that no network wrote.
    """

    text: str
    spans: tuple[Span, ...]
    pictures: tuple[Picture, ...] = field(repr=False, compare=False)
    system: str
    seconds: float
    parse_failures: tuple[str, ...] = ()
    question: str = ""
    regions: tuple[tuple[str, Region], ...] = ()
    finish: Finish = "stop"
    raw: Raw | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.pictures, Picture):
            object.__setattr__(self, "pictures", (self.pictures,))
        for name in ("spans", "pictures", "parse_failures", "regions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.finish not in get_args(Finish):
            raise MalformedAnswer(f"finish is {self.finish!r}; expected one of {', '.join(get_args(Finish))}")
        object.__setattr__(self, "seconds", float(self.seconds))
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise MalformedAnswer(f"an answer took {self.seconds} seconds; expected 0 or more")
        free = 0
        for span in self.spans:
            check_span(span, self.text, free=free, pictures=self.pictures)
            free = span.end

    @property
    def picture(self) -> Picture:
        """The picture, or the first of several; UsageError where there is none."""
        if not self.pictures:
            raise UsageError("this answer is about no picture; expected one that is")
        return self.pictures[0]

    @property
    def nowhere(self) -> bool:
        """Whether what was asked for is not in the picture: there are spans, and every one is nowhere."""
        return bool(self.spans) and all(span.nowhere for span in self.spans)

    @property
    def nowhere_score(self) -> float | None:
        """How likely what was asked for is not in the picture; None where no place was asked for.

        With several spans it is the smallest of theirs: as for ``nowhere``, all of them must be missing. None
        too where a span has no score.
        """
        scores = [span.nowhere_score for span in self.spans]
        known = [score for score in scores if score is not None]
        return min(known) if known and len(known) == len(scores) else None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain values, as ``answer_schema`` describes them."""
        from deixis.answers.as_json import answer_to_dict

        return answer_to_dict(self)

    def to_json(self) -> str:
        """Return the answer as one line of JSON, in ASCII: other letters are escaped."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes, picture: Picture | None = None) -> Answer:
        """Return the answer that ``to_json`` wrote; MalformedAnswer for text that it could not have written.

        picture: the picture it speaks of (the first, of several), for drawing; a grey one of the right size
        stands in for each that isn't given.
        """
        from deixis.answers.as_json import answer_from_json

        return answer_from_json(text, picture=picture)

    def draw(self, number: int = 0) -> Image.Image:
        """Return the picture with the answer, its places and the regions that were pointed at drawn on it.

        number: which of several pictures.
        """
        from deixis.answers.drawing import draw

        return draw(self, number)


def probability(value: object, what: str) -> float:
    """Return a number in 0..1 as a float; MalformedAnswer for anything else.

    >>> probability(1, "the score")
    1.0
    """
    numeric = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not numeric or not 0 <= value <= 1:  # type: ignore[operator]
        raise MalformedAnswer(f"{what} is {value!r}; expected a number from 0 to 1")
    return float(value)  # type: ignore[arg-type]


def check_span(span: Span, text: str, *, free: int, pictures: tuple[Picture, ...]) -> None:
    """Raise MalformedAnswer unless a span is of this text, from ``free`` on, its places in these pictures."""
    if span.end > len(text):
        raise MalformedAnswer(
            f"span {span.start}:{span.end} leaves the text of {len(text)} characters: {text!r:.120}"
        )
    if text[span.start : span.end] != span.phrase:
        read = text[span.start : span.end]
        raise MalformedAnswer(
            f"span {span.start}:{span.end} should read {span.phrase!r}; the text reads {read!r}"
        )
    if span.start < free:
        raise MalformedAnswer(
            f"span {span.start}:{span.end} begins before the last one ends, at {free}; spans are in order "
            "and apart"
        )
    for place in span.places:
        if not any(same_frame(place.box.frame, picture.frame) for picture in pictures):
            about = ", ".join(str(picture.frame) for picture in pictures) or "no picture"
            raise MalformedAnswer(
                f"{span.phrase!r} has a place in frame {place.box.frame}, but the answer is about {about}"
            )


def answer_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of what ``Answer.to_json`` writes.

    >>> answer_schema()["title"]
    'An answer of deixis'
    """
    file = resources.files("deixis.answers").joinpath("schema.json")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
