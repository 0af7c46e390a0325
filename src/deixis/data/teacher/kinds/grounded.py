"""Grounded dialogues: answers whose phrases have places, as in Groma Instruct (Ma et al., section 3.4).

The published 30,000 were written by GPT-4V about pictures of Visual Genome with marks in the middle of three
to ten regions. Samples are in that data set's format.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deixis.data.groma.boxes import suppressed
from deixis.data.scene import Scene, Thing
from deixis.data.sources.visual_genome import is_relation
from deixis.data.teacher.dialogue_rules import DIALOGUE_SCHEMA, Exchanges, check_words, exchanges_of
from deixis.data.teacher.lesson import Kind, Lesson, Made, Rejected, Stored
from deixis.data.teacher.marks import numbered_centres
from deixis.data.teacher.samples import instruct_sample
from deixis.data.teacher.words import drawn, expressions_of, quoted_list, speakable, words_for

LEAST, MOST = 2, 8
LEAST_THINGS, MOST_THINGS = 3, 10
MOST_OVERLAP = 0.3  # IoU; of two regions that overlap by more, one is left
MOST_CAPTIONS, MOST_RELATIONS, MOST_EXCHANGES, MOST_PHRASE = 5, 8, 8, 12
LINK = re.compile(r"<p>([^<>\[\]]*)</p>\s*((?:\[[^\[\]<>]{0,40}\]\s*)+)")
NUMBERS = re.compile(r"\d{1,3}(?:\s*,\s*\d{1,3})*")
INSTRUCTION = """\
You write practice dialogues for an assistant that looks at photos and shows where the things are that it
speaks of. You get one photo twice: as it is, and with a number in the middle of some regions. You are also
told what is known of it: sentences about it, questions that were answered about it, and for each numbered
region what people called it and where it is.

Write a conversation between a curious person and a careful assistant.

- Reply with nothing but a JSON list: [{"human": "..."}, {"gpt": "..."}, {"human": "..."}, {"gpt": "..."},
  ...]. The person begins, the two take turns, and there are 3 to 6 questions.
- In answers, the words for a numbered region stand between <p> and </p>, and its number in square brackets
  comes straight behind, as in: <p> A brown dog </p> [2] lies beside <p> two cups </p> [1] [4].
- An answer does so for every numbered region that it brings up, the first time it does. Most answers bring
  up one or more. What has no number is named without <p>.
- Questions are plain words, without <p> and without numbers of regions.
- Mix what is asked: a description of the whole scene, what things are like or do, how they relate to each
  other, and why things may be as they are, which takes knowledge of the world.
- Ask only what the photo answers with certainty, and answer nothing else. What you were told is true.
- Both of them see the photo as it is. Nobody mentions numbers of regions, marks, boxes, a further picture,
  or what you were told.
"""


def choose(scene: Scene, rng: np.random.Generator, count: int) -> list[Lesson]:
    """Draw regions that hardly overlap, and tell what is known; a picture has one dialogue.

    None where fewer than three are left.
    """
    expressions = expressions_of(scene)
    things = apart(drawn(speakable(scene, expressions), rng, len(scene.things)))[:MOST_THINGS]
    if len(things) < LEAST_THINGS or count < 1:
        return []
    sentences = [caption.text for caption in scene.captions if not is_relation(caption)]
    relations = [caption.text for caption in scene.captions if is_relation(caption)]
    asked = [f"{question} {answer}" for question, answer in scene.exchanges]
    told = [f"The photo is {scene.width} pixels wide and {scene.height} high."]
    for heading, texts, most in (
        ("Sentences about it:", sentences, MOST_CAPTIONS),
        ("How things relate:", relations, MOST_RELATIONS),
        ("Questions about it, and their answers:", asked, MOST_EXCHANGES),
    ):
        if texts:
            told += [heading, *(f"- {text}" for text in drawn(texts, rng, most))]
    told.append("Regions, with their left, top, right and bottom edges:")
    for number, thing in enumerate(things, start=1):
        edges = " ".join(f"{edge:.0f}" for edge in thing.box.as_tuple())
        told.append(f"{number}: {quoted_list(words_for(thing, expressions))}; {edges}")
    return [Lesson(f"grounded-{scene.id}", scene, tuple(thing.id for thing in things), "\n".join(told))]


def apart(things: list[Thing]) -> list[Thing]:
    """Return the things of which none overlaps an earlier one by more than ``MOST_OVERLAP``, in order."""
    boxes = [thing.box.as_tuple() for thing in things]
    order = np.arange(len(things), 0, -1)
    return [things[place] for place in suppressed(boxes, order, above=MOST_OVERLAP)] if things else []


def read(lesson: Lesson, content: Any, stored: Stored) -> Made:
    """Return a sample with the dialogue, each answer with the places of its phrases in their order."""
    said = exchanges_of(content, least=LEAST, most=MOST)
    check_words([(question, LINK.sub(r"\1", answer)) for question, answer in said])
    check_questions(said)
    turns = [(question, *linked(answer, len(lesson.things))) for question, answer in said]
    if not any(places for _, _, places in turns):
        raise Rejected("placeholder: no answer shows where anything is")
    return Made((instruct_sample(lesson, stored, turns),))


def check_questions(said: Exchanges) -> None:
    """Raise Rejected where a question has a mark."""
    for question, _ in said:
        if set("<>[]") & set(question):
            raise Rejected(f"placeholder: a question has a mark: {question!r:.120}")


def linked(answer: str, count: int) -> tuple[str, list[tuple[str, tuple[int, ...]]]]:
    """Return an answer with ``{}`` for each phrase that has places, and each with its places, from 0.

    count: how many regions were numbered. Rejected: a number that none has, one twice behind one phrase, an
    empty or very long phrase, or a mark that stands elsewhere.

    >>> linked("<p> A dog </p> [2] near <p>cups</p> [1, 3].", 3)
    ('{} near {}.', [('A dog', (1,)), ('cups', (0, 2))])
    """
    if "{" in answer or "}" in answer:
        raise Rejected(f"format: braces in {answer!r:.120}")
    found: list[tuple[str, tuple[int, ...]]] = []

    def taken(match: re.Match[str]) -> str:
        phrase = " ".join(match[1].split())
        if not 0 < len(phrase.split()) <= MOST_PHRASE:
            raise Rejected(f"format: phrase {phrase!r:.80} is empty or has more than {MOST_PHRASE} words")
        found.append((phrase, numbers_in(match[2], count)))
        return "{}" + (" " if match[0][-1].isspace() else "")

    text = LINK.sub(taken, answer).rstrip()
    if set("<>[]") & set(text):
        raise Rejected(f"format: a mark that is no <p> phrase </p> [number] in {answer!r:.120}")
    return text, found


def numbers_in(brackets: str, count: int) -> tuple[int, ...]:
    """Return the places, from 0, that numbers in brackets mean; Rejected for any that is not one of them."""
    places: list[int] = []
    for inside in re.findall(r"\[([^\]]*)\]", brackets):
        if not NUMBERS.fullmatch(inside.strip()):
            raise Rejected(f"format: [{inside:.40}] holds no numbers of regions")
        places += [int(number) - 1 for number in inside.split(",")]
    for place in places:
        if not 0 <= place < count:
            raise Rejected(f"placeholder: [{place + 1}] is none that it was given")
    if len(set(places)) < len(places):
        raise Rejected(f"placeholder: a number stands twice in {brackets.strip()!r:.40}")
    return tuple(places)


KIND = Kind(
    name="grounded",
    title="grounded dialogues, for Groma's data",
    instruction=INSTRUCTION,
    schema=DIALOGUE_SCHEMA,
    file="groma",
    choose=choose,
    paint=numbered_centres,
    read=read,
    max_tokens=2500,
)
