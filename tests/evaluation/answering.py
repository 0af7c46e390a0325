"""Fake systems: one that knows the truth, one that finds nothing, one whose answers cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from deixis.answers.grounded import Answer, Place, Span
from deixis.data.scene import Scene
from deixis.evaluation.tasks import TASKS
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box, Region

PLACES_AND_NAMES = ("grounding", "expressions", "naming", "naming_point", "naming_scribble")


def located(picture: Picture, boxes: Sequence[Box], *, scores: Sequence[float] = ()) -> Answer:
    """An answer with one span and these places; nowhere if there are none."""
    scores = scores or [1.0 - 0.01 * index for index in range(len(boxes))]
    places = tuple(Place(box, score) for box, score in zip(boxes, scores, strict=True))
    span = Span(0, 2, "it", places, nowhere=not places, nowhere_score=0.0 if places else 1.0)
    return Answer("it is here.", (span,), picture, system="fake", seconds=0.0)


def said(picture: Picture, text: str, *, parse_failures: tuple[str, ...] = ()) -> Answer:
    """An answer of words alone."""
    return Answer(text, (), picture, system="fake", seconds=0.0, parse_failures=parse_failures)


@dataclass
class Fake:
    """A system that keeps the sizes of the batches that it was asked."""

    device = torch.device("cpu")
    dtype = torch.float32

    name: str = "fake"
    batches: list[int] = field(default_factory=list)

    def ask(
        self,
        picture: Picture,
        question: list[str],
        *,
        regions: Sequence[Mapping[str, Region]],
        max_new_tokens: int = 64,
    ) -> list[Answer]:
        assert len(question) == len(regions)
        self.batches.append(len(question))
        return [self.answer(picture, *one) for one in zip(question, regions, strict=True)]

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        raise NotImplementedError


class Nowhere(Fake):
    """Finds nothing and has no word for anything."""

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        return located(picture, []) if not regions else said(picture, "I don't know.")


class Truthful(Fake):
    """Gives the last of the true boxes or the first of the true nouns; `garbled` answers can't be parsed."""

    def __init__(self, scenes: Sequence[Scene], *, garbled: frozenset[int] = frozenset()) -> None:
        super().__init__(name="truthful")
        self.garbled = garbled
        self.count = 0
        files = {scene.id: scene.picture.name for scene in scenes}
        self.truths: dict[Any, Any] = {
            (files[item.picture], item.question, item.regions): item.truth
            for name in PLACES_AND_NAMES
            for item in TASKS[name].items(scenes, 0)
        }

    def answer(self, picture: Picture, question: str, regions: Mapping[str, Region]) -> Answer:
        truth = self.truths[picture.name, question, tuple(regions.items())]
        self.count += 1
        if isinstance(truth, frozenset):
            answer = said(picture, f"It is a {min(truth)}.")
        else:
            answer = located(picture, [truth if isinstance(truth, Box) else truth[-1]])
        if self.count - 1 in self.garbled:
            return Answer(
                answer.text,
                answer.spans,
                picture,
                system="fake",
                seconds=0.0,
                parse_failures=("<place> without </p>",),
            )
        return answer
