"""A system whose every answer is the same: a place in the upper left, or words."""

from __future__ import annotations

from collections.abc import Mapping

from deixis.answers.grounded import Answer, Place, Span
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region
from tests.evaluation.answering import Fake


class Guessing(Fake):
    """Names everything "a circle", says yes to everything and sees everything in the upper left quarter.

    words: what it says before that, taken back into every answer that has a place.
    """

    def __init__(self, words: str = "it") -> None:
        super().__init__(name="guessing")
        self.words = words
        self.asked: list[tuple[str, str]] = []

    def fingerprint(self) -> str:
        return "0123456789abcdef"

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        self.asked.append((picture.name, question))
        text, spans = "A circle.", ()
        if not regions:
            text = f"{self.words}: yes."
            box = Box(0, 0, picture.width / 2, picture.height / 2, frame=picture.frame)
            spans = (Span(0, len(self.words), self.words, (Place(box, 0.75),), nowhere_score=0.25),)
        return Answer(
            text, spans, picture, "guessing", 0.0, question=question, regions=tuple(regions.items())
        )
