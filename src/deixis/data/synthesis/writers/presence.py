"""Yes/no dialogues: is something in the picture?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.data.lots import pick
from deixis.data.synthesis.phrasing import verdict, without_article
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import PRESENCE, PRESENCE_ANY
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.nouns import is_plural
from deixis.records.dialogue import Dialogue, Mark, Turn

ANY = 0.2  # how often a question speaks of "any", where the phrase has an article to replace


def presence_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask yes/no questions, as many of each."""
    dialogues = []
    for _ in range(count):
        there = rng.random() < 0.5 and len(seen.phrases) > 0
        text = pick(list(seen.phrases), rng) if there else seen.absent(rng)
        if text is None:
            continue
        turn = presence_turn(seen, text, seen.phrases[text] if there else (), rng)
        dialogues.append(Dialogue(kind, (turn,)))
    return dialogues


def presence_turn(seen: VisibleScene, text: str, things: Sequence[int], rng: np.random.Generator) -> Turn:
    """Ask whether a phrase is there; no ``things`` means that it is not."""
    many = is_plural(text)
    phrase = text
    if rng.random() < ANY and (bare := without_article(text)):
        phrase = bare
        question = question_from(pick(PRESENCE_ANY, rng), rng, phrase=phrase, many=many)
    else:
        question = question_from(pick(PRESENCE, rng), rng, phrase=phrase, many=many)
    mark = Mark(0, len(phrase), seen.places(things))
    return Turn(question, f"{phrase}? {verdict(things, many=many)}", (mark,), intent="whether")
