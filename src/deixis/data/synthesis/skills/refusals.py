"""Dialogues about what can't be told: text, names, reasons, verdicts about people, nonsense and the like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.phrasing import definite
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.unanswerable import ANSWERS, UNANSWERABLE
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.nouns import is_plural, words_of
from deixis.records.dialogue import Dialogue, Turn

FEWEST, MOST = 2, 9  # words of nonsense
LETTERS = "abcdefghijklmnopqrstuvwxyz"
KEYS = 0.25  # how often nonsense is letters without words
MARKED = 0.5  # how often nonsense ends as a question does
SOMEONE = ("he", "she", "this", "it", "they", "this person", "the man", "the woman", "the dog", "that")

LITTLE = (
    "the", "of", "is", "what", "why", "or", "because", "seven", "not", "under", "who", "where", "but", "very",
    "never", "if", "idea", "green", "sleep", "furiously",
)  # fmt: skip


def refusal_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask what can't be told; the answer says that, and why."""
    sorts = tuple(ANSWERS)
    return [Dialogue(kind, (refused(seen, pick(sorts, rng), rng),)) for _ in range(count)]


def refused(seen: VisibleScene, sort: str, rng: np.random.Generator) -> Turn:
    """Return a question of a sort that can't be answered, with its answer."""
    answer = pick(ANSWERS[sort], rng)
    if sort == "nonsense":
        return Turn(nonsense(seen, rng), answer, intent="refuse")
    template = pick(UNANSWERABLE[sort], rng)
    people = [text for text in seen.phrases if sort != "verdict" or of_people(seen, text)]
    phrase = definite(pick(people, rng)) if people and rng.random() < 0.7 else pick(SOMEONE, rng)
    many = is_plural(phrase) or phrase == "they"
    question = question_from(template, rng, phrase=phrase, many=many, loosely=sort != "language")
    turn = Turn(question, answer, intent="refuse")
    if "{it}" not in question:
        return turn
    if not seen.boxes:
        return replace(turn, question=question.replace("{it}", "this"))
    region = perturbed_region(seen.boxes[pick(sorted(seen.boxes), rng)], rng)
    return replace(turn, regions=(("it", region),))


def of_people(seen: VisibleScene, text: str) -> bool:
    """Tell whether a phrase of the scene means people."""
    return all(seen.scene.thing(thing).supercategory == "people" for thing in seen.phrases[text])


def nonsense(seen: VisibleScene, rng: np.random.Generator) -> str:
    """Return words in no order, of this picture's captions and of others, or letters in none."""
    length = int(rng.integers(FEWEST, MOST + 1))
    if rng.random() < KEYS:
        made = [
            "".join(pick(LETTERS, rng) for _ in range(int(rng.integers(2, 9))))
            for _ in range(length // 2 + 1)
        ]
    else:
        texts = [pick(seen.phrasebook.texts, rng) for _ in range(length)] if seen.phrasebook.texts else []
        words = sorted({word for text in texts for word in words_of(text)} | set(seen.words) | set(LITTLE))
        made = draw(words, length, rng)
    return " ".join(made) + ("?" if rng.random() < MARKED else "")
