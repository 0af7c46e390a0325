"""Dialogues about the whole picture: its captions, and lists of what is in it."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.scene import Caption
from deixis.data.synthesis.phrasing import sided
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import CAPTION, LIST
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.records.dialogue import Dialogue, Mark, Turn

MOST_LISTED = 4


def caption_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Return captions with the places of their phrases."""
    usable = [c for c in seen.scene.captions if not (seen.view.mirrored and sided(c.text))]
    return [Dialogue(kind, (captioned(seen, caption, rng),)) for caption in draw(usable, count, rng)]


def captioned(seen: VisibleScene, caption: Caption, rng: np.random.Generator) -> Turn:
    """Ask what the picture shows; the answer is a caption."""
    question = question_from(pick(CAPTION, rng), rng)
    return Turn(question, caption.text, caption_marks(seen, caption), intent="tell")


def caption_marks(seen: VisibleScene, caption: Caption) -> tuple[Mark, ...]:
    """Mark the phrases of a caption whose things are all in view."""
    return tuple(
        Mark(phrase.start, phrase.end, seen.places(phrase.things))
        for phrase in sorted(caption.phrases, key=lambda p: p.start)
        if phrase.things and all(thing in seen.boxes for thing in phrase.things)
    )


def list_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Name up to four different things with their places; one list a picture, whatever ``count`` is."""
    chosen: dict[str, tuple[int, ...]] = {}
    for text in draw(list(seen.phrases), len(seen.phrases), rng):
        taken = {thing for things in chosen.values() for thing in things}
        if taken.isdisjoint(seen.phrases[text]) and len(chosen) < MOST_LISTED:
            chosen[text] = seen.phrases[text]
    if not chosen:
        return []
    answer, marks = "", []
    for index, (text, things) in enumerate(chosen.items()):
        answer += "" if index == 0 else (" and " if index == len(chosen) - 1 else ", ")
        marks.append(Mark(len(answer), len(answer) + len(text), seen.places(things)))
        answer += text
    question = question_from(pick(LIST, rng), rng)
    return [Dialogue(kind, (Turn(question, answer + ".", tuple(marks), intent="tell"),))]
