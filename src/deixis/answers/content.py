"""All that an answer says, and what it is about; ``deixis.answers.grounded`` has what can be done with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import get_args

from deixis.answers.parts import Finish, Raw, Span, check_span
from deixis.errors import MalformedAnswer, UsageError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region


@dataclass(frozen=True)
class AnswerContent:
    """What a system answered to one question about some pictures: mostly one, maybe several or none.

    pictures: a single one may be given as it is. The box of every place is in the frame of one of them.
    question: as it was asked; ``{name}`` in it is the region of that name. Two answers are equal whatever the
    pixels of their pictures. raw: None for an answer that no network wrote. weights: the fingerprint of the
    weights that answered, as ``System.fingerprint`` gives it; empty where nobody took it. unanswerable: the
    answer is that the question can't be answered, which is not that something is nowhere.
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
    weights: str = field(default="", compare=False)
    unanswerable: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.pictures, Picture):
            object.__setattr__(self, "pictures", (self.pictures,))
        for name in ("spans", "pictures", "parse_failures", "regions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "unanswerable", bool(self.unanswerable))
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
