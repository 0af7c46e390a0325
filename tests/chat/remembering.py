"""A fake system that keeps what it was asked, and has room for so many earlier answers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from deixis.answers.grounded import Answer, Place, Span
from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region


@dataclass(frozen=True)
class Asked:
    """What one call of ``ask`` was given."""

    picture: Picture
    question: str
    regions: dict[str, Region]
    before: tuple[str, ...]
    settings: dict[str, Any]


@dataclass
class Remembering:
    """Answers "Number N." and points at a box that moves with N; room: how many earlier answers it reads."""

    device = torch.device("cpu")
    dtype = torch.float32

    room: int = 100
    name: str = "fake"
    asked: list[Asked] = field(default_factory=list)

    def fingerprint(self) -> str:
        return "f00d"

    def ask(
        self,
        picture: Picture,
        question: str,
        *,
        regions: Mapping[str, Region],
        before: Sequence[Answer],
        **settings: Any,
    ) -> Answer:
        if question == "stop!":
            raise KeyboardInterrupt
        if question == "too long":
            raise UsageError("the question has 999 tokens; at most 9")
        if len(before) > self.room:
            raise UsageError(f"the question has {len(before) + 1} tokens; at most {self.room + 1}")
        said: Any = tuple(answer.question for answer in before)
        self.asked.append(Asked(picture, question, dict(regions), said, settings))
        number = len(self.asked)
        place = Place(Box(number, 1, number + 20, 30, frame=picture.frame), 0.75)
        span = Span(0, 6, "Number", (place,), nowhere_score=0.125)
        return Answer(
            f"Number {number}.",
            (span,),
            picture,
            system=self.name,
            seconds=0.25,
            question=question,
            regions=tuple(regions.items()),
        )
