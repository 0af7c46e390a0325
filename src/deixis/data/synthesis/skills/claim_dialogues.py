"""Dialogues about what a region is said to be: which of two things it is, and whether it has a quality."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.claims import something_else
from deixis.data.synthesis.qualities import qualities_in
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.skills import CHOOSE, IS_LIKE, KEPT
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.nouns import words_of
from deixis.records.dialogue import Dialogue, Turn


def choice_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Point at things and ask which of two they are."""
    dialogues = []
    for thing in draw(list(seen.described), count, rng):
        wrong = something_else(seen.scene, thing, seen.described, book=seen.phrasebook, rng=rng)
        if wrong is None:
            continue
        name, other = (seen.phrasebook.name(text) for text in (pick(seen.described[thing], rng), wrong[0]))
        claims = (name, other) if rng.random() < 0.5 else (other, name)
        slots = {"a": claims[0], "b": claims[1]}
        region = perturbed_region(seen.boxes[thing], rng)
        turn = Turn(
            question_from(pick(CHOOSE, rng), rng, slots=slots, kept=KEPT),
            f"{name}.",
            regions=(("it", region),),
            intent="judge",
            claims=claims,
        )
        dialogues.append(Dialogue(kind, (turn,)))
    return dialogues


def quality_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Point at things and ask whether they have a quality; half of the time one that no phrase gives them."""
    known = seen.skills.qualities
    dialogues = []
    for thing in draw(list(seen.described), count, rng):
        texts = seen.described[thing]
        said = {word for text in texts for word in words_of(text)}
        own = sorted(set(known.known) & {quality for text in texts for quality in qualities_in(text)})
        chances = np.array([word not in said for word in known.known], dtype=float)
        chances *= known.counts if rng.random() < 0.5 else 1.0
        if not own or not chances.any():
            continue
        mine = asked = pick(own, rng)
        if rng.random() < 0.5:
            asked = str(rng.choice(known.known, p=chances / chances.sum()))
        question = question_from(pick(IS_LIKE, rng), rng, slots={"quality": asked}, kept=KEPT)
        region = perturbed_region(seen.boxes[thing], rng)
        answer = f"yes, {asked}." if asked == mine else f"no, {mine}."
        turn = Turn(question, answer, regions=(("it", region),), intent="judge", claims=(asked,))
        dialogues.append(Dialogue(kind, (turn,)))
    return dialogues
