"""A dialogue about one picture: what is asked, what is pointed at, and an answer whose phrases have places.

This is the form in which every source reaches every system; how its tokens are written is the system's
business. Boxes and regions are bound to the frame of the picture that the dialogue travels with.
"""

from __future__ import annotations

from dataclasses import dataclass

from deixis.errors import RecordError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region


@dataclass(frozen=True)
class Mark:
    """A phrase ``answer[start:end]`` and its boxes; no boxes means that it is not in the picture."""

    start: int
    end: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Turn:
    """One question with its regions (by the names used in ``{braces}``) and its answer."""

    question: str
    answer: str
    marks: tuple[Mark, ...] = ()
    regions: tuple[tuple[str, Region], ...] = ()

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
    """A picture with everything that is asked about it in one training step."""

    name: str
    picture: Picture
    dialogues: tuple[Dialogue, ...]
