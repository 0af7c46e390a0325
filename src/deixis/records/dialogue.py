"""A dialogue about one picture: what is asked, what is pointed at, and an answer whose phrases have places.

This is the form in which every source reaches every system; how its tokens are written is the system's
business. Boxes and regions are bound to the frame of the picture that the dialogue travels with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deixis.errors import RecordError
from deixis.pictures.opening import Picture
from deixis.records.intents import Intent
from deixis.regions.shapes import Box, Region


@dataclass(frozen=True)
class Mark:
    """A phrase ``answer[start:end]`` and its boxes; no boxes means that it is not in the picture."""

    start: int
    end: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Turn:
    """One question with its regions (by the names used in ``{braces}``) and its answer.

    pictures: those that come with this question, beside those of the whole example. intent: what the question
    is meant to get; None where nobody says. claims: what it says that its region is, or offers to choose.
    """

    question: str
    answer: str
    marks: tuple[Mark, ...] = ()
    regions: tuple[tuple[str, Region], ...] = ()
    pictures: tuple[Picture, ...] = field(default=(), kw_only=True)
    intent: Intent | None = field(default=None, kw_only=True)
    claims: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        end = 0
        for mark in self.marks:
            if not end <= mark.start < mark.end <= len(self.answer):
                raise RecordError(
                    f"mark {mark.start}:{mark.end} must lie behind the last one ({end}) and inside the "
                    "answer "
                    f"of {len(self.answer)} characters"
                )
            end = mark.end


@dataclass(frozen=True)
class Dialogue:
    """Turns in order. ``words_learnt`` False: only the places are supervised, the words are given."""

    kind: str
    turns: tuple[Turn, ...]
    words_learnt: bool = True


@dataclass(frozen=True)
class Example:
    """Pictures, mostly one, with everything that is asked about them in one training step.

    pictures: those that the dialogues begin with; a single one may be given as it is, none is a dialogue of
    words only.
    """

    name: str
    pictures: tuple[Picture, ...]
    dialogues: tuple[Dialogue, ...]

    def __post_init__(self) -> None:
        given = (self.pictures,) if isinstance(self.pictures, Picture) else tuple(self.pictures)
        object.__setattr__(self, "pictures", given)

    @property
    def picture(self) -> Picture:
        """The only picture; RecordError where there are none or several."""
        if len(self.pictures) != 1:
            raise RecordError(
                f"{self.name} has {len(self.pictures)} pictures; expected one, which is all this system reads"
            )
        return self.pictures[0]
