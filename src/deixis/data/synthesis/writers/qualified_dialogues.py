"""Dialogues about phrases that say how a thing stands to another: "is the man wearing a hat?"."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.phrasing import definite, verdict
from deixis.data.synthesis.qualified import Qualified, qualified_phrases, surely_absent
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import ACTION
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.data.synthesis.writers.locating import bare_phrase, where_turn
from deixis.english.nouns import is_plural
from deixis.records.dialogue import Dialogue, Mark, Turn

UNQUALIFIED = 0.35  # how often the halves of a qualified phrase do not belong together


def qualified_dialogues(
    seen: VisibleScene, kind: str, count: int, rng: np.random.Generator
) -> list[Dialogue]:
    """Ask for or after phrases like "a man in a red hat", some of which aren't in the picture."""
    own = [made for text, made in qualified_phrases(seen.scene).items() if seen.holds(text, made.things)]
    dialogues = []
    for made in draw(own, count, rng):
        asked: Qualified | None = made
        if rng.random() < UNQUALIFIED:
            asked = surely_absent(own, seen.all_qualified, seen.words, rng)
        if asked is None:
            continue
        many = is_plural(asked.head)
        if kind == "qualified_bare":
            dialogues.append(bare_phrase(seen, kind, asked.text, asked.things))
        elif rng.random() < 0.5:
            dialogues.append(Dialogue(kind, (where_turn(seen, asked.text, asked.things, rng, many=many),)))
        else:
            dialogues.append(Dialogue(kind, (acting(seen, asked, many, rng),)))
    return dialogues


def acting(seen: VisibleScene, asked: Qualified, many: bool, rng: np.random.Generator) -> Turn:
    """Ask whether a thing does something or has something: "is the man wearing a hat?"."""
    phrase = definite(asked.text) if rng.random() < 0.5 else asked.text
    question = question_from(pick(ACTION, rng), rng, phrase=phrase, many=many)
    mark = Mark(0, len(phrase), seen.places(asked.things))
    return Turn(question, f"{phrase}? {verdict(asked.things, many=many)}", (mark,), intent="whether")
