"""What an answer is made of: phrases of its text, their places in the original picture, what was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from deixis.errors import MalformedAnswer
from deixis.pictures.opening import Picture
from deixis.regions.frames import same_frame
from deixis.regions.shapes import Box, Mask

Finish = Literal["stop", "length", "cancelled"]
"""Why an answer ended: it was over, it was as long as allowed, or nobody waited for it any more."""


@dataclass(frozen=True)
class Place:
    """Where something is: a box in the original picture, how sure (0..1), and maybe a mask.

    named: the how manyth place of its answer it was in the order in which the system named them, from 0; None
    where that isn't known. It is no part of the answer: neither compared nor written in JSON.
    """

    box: Box
    score: float
    mask: Mask | None = None
    named: int | None = field(default=None, compare=False, repr=False)

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
