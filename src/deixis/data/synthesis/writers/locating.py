"""Dialogues that ask where something is, whether it is in the picture or not.

Which of both never shows in how the question is worded: absent phrases are present phrases of other pictures,
put into the same questions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.phrasing import definite
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import WHERE, WHERE_MANY
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.nouns import is_plural
from deixis.records.dialogue import Dialogue, Mark, Turn


def present_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask for different phrases that are in the picture."""
    chosen = draw(list(seen.phrases), count, rng)
    return [located(seen, text, seen.phrases[text], kind, rng) for text in chosen]


def absent_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask for phrases that are not in the picture."""
    drawn = [seen.absent(rng) for _ in range(count)]
    return [located(seen, text, (), kind, rng) for text in drawn if text is not None]


def located(
    seen: VisibleScene, text: str, things: Sequence[int], kind: str, rng: np.random.Generator
) -> Dialogue:
    """Ask for a phrase, or say it with its place alone; no ``things`` means that it is not there."""
    if kind.endswith("_bare"):
        return bare_phrase(seen, kind, text, things)
    return Dialogue(kind, (where_turn(seen, text, things, rng),))


def bare_phrase(seen: VisibleScene, kind: str, text: str, things: Sequence[int]) -> Dialogue:
    """Return a phrase and its place without a question."""
    turn = Turn("", text, (Mark(0, len(text), seen.places(things)),))
    return Dialogue(kind, (turn,), words_learnt=False)


def where_turn(
    seen: VisibleScene,
    text: str,
    things: Sequence[int],
    rng: np.random.Generator,
    *,
    many: bool | None = None,
) -> Turn:
    """Return a question for a phrase with its answer; ``many`` is guessed where it isn't known."""
    many = is_plural(text) if many is None else many
    phrase = definite(text) if rng.random() < 0.5 else text
    verb = "are" if many else "is"
    ending = "here." if things else "not in the picture."
    question = question_from(pick(WHERE_MANY if many else WHERE, rng), rng, phrase=phrase, many=many)
    mark = Mark(0, len(phrase), seen.places(things))
    return Turn(question, f"{phrase} {verb} {ending}", (mark,), intent="where")
