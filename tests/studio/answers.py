"""Answers for tests of what the studio hands out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from deixis.answers.grounded import Answer, Place, Span
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Region
from deixis.studio.dialogue import Dialogue, dialogue_of

PICTURE = open_picture(np.arange(40 * 60 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 60, 3))


def box(*corners: float, picture: Picture = PICTURE) -> Box:
    """Return a box in the picture."""
    return Box(*corners, frame=picture.frame)


def answer(
    text: str = "The dog is here.",
    phrase: str = "The dog",
    places: tuple[Box, ...] = (),
    *,
    question: str = "Where is the dog?",
    regions: tuple[tuple[str, Region], ...] = (),
    nowhere: bool = False,
    picture: Picture = PICTURE,
) -> Answer:
    """Return an answer with one phrase; without a phrase, words alone."""
    spans: tuple[Span, ...] = ()
    if phrase:
        start = text.index(phrase)
        found = tuple(Place(one, 0.9) for one in places)
        spans = (Span(start, start + len(phrase), phrase, found, nowhere, 0.9 if nowhere else 0.1),)
    return Answer(text, spans, picture, "pointer", 0.1, question=question, regions=regions)


def dialogue(*turns: Sequence[Answer], name: str = "a.jpg", checked: Collection[Answer] = ()) -> Dialogue:
    """Return a dialogue about the picture whose turns have these answers."""
    plain = [
        {
            "all": False,
            "answers": [
                {"model": "pointer", "checked": one in checked, "answer": one.to_dict()} for one in turn
            ],
        }
        for turn in turns
    ]
    return dialogue_of(PICTURE, name, regions={}, turns=plain)
