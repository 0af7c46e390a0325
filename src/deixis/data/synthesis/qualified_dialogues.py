"""Dialogues about phrases that say how a thing stands to another: "is the man wearing a hat?"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.phrasing import definite, sided, verdict
from deixis.data.synthesis.qualified import Qualified, qualified_phrases, surely_absent
from deixis.data.synthesis.question_templates import ACTION
from deixis.data.synthesis.question_writer import worded
from deixis.english.nouns import is_plural
from deixis.records.dialogue import Dialogue, Mark, Turn

if TYPE_CHECKING:
    from deixis.data.synthesis.dialogue_writer import DialogueWriter

UNQUALIFIED = 0.35  # how often the halves of a qualified phrase do not belong together


def qualified_dialogues(
    writer: DialogueWriter, kind: str, count: int, rng: np.random.Generator
) -> list[Dialogue]:
    """Ask for or after phrases like "a man in a red hat", some of which aren't in the picture."""
    own = [
        made
        for text, made in qualified_phrases(writer.scene).items()
        if all(thing in writer.boxes for thing in made.things) and not (writer.view.mirrored and sided(text))
    ]
    dialogues = []
    for made in draw(own, count, rng):
        asked: Qualified | None = made
        if rng.random() < UNQUALIFIED:
            asked = surely_absent(own, writer.all_qualified, writer.words, rng)
        if asked is None:
            continue
        many = is_plural(asked.head)
        if kind == "qualified_bare":
            dialogues.append(writer.bare(kind, asked.text, asked.things))
        elif rng.random() < 0.5:
            dialogues.append(Dialogue(kind, (writer.where(asked.text, asked.things, rng, many=many),)))
        else:
            dialogues.append(Dialogue(kind, (acting(writer, asked, many, rng),)))
    return dialogues


def acting(writer: DialogueWriter, asked: Qualified, many: bool, rng: np.random.Generator) -> Turn:
    """Ask whether a thing does something or has something: "is the man wearing a hat?"."""
    phrase = definite(asked.text) if rng.random() < 0.5 else asked.text
    question = worded(pick(ACTION, rng), rng, phrase=phrase, many=many)
    mark = Mark(0, len(phrase), writer.places(asked.things))
    return Turn(question, f"{phrase}? {verdict(asked.things, many=many)}", (mark,))
