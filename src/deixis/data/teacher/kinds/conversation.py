"""Conversations that refer and ground: the model-written part of Ferret's instruction data."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deixis.data.scene import Scene
from deixis.data.sources.visual_genome import is_relation
from deixis.data.teacher.dialogue_rules import DIALOGUE_SCHEMA, check_words, exchanges_of, resolved
from deixis.data.teacher.lesson import Kind, Lesson, Made, Rejected, Stored
from deixis.data.teacher.marks import numbered
from deixis.data.teacher.samples import grit_sample
from deixis.data.teacher.words import drawn, expressions_of, quoted_list, speakable, words_for

LEAST, MOST = 2, 8
MOST_THINGS, MOST_CAPTIONS, MOST_RELATIONS = 16, 5, 8
DATASET = "git_instruction"
NUMBER = re.compile(r"thing (\d{1,3})")
INSTRUCTION = """\
You write practice dialogues for an assistant that looks at photos, can be pointed at things in them and
points at things itself. You get one photo twice: as it is, and with some things framed and numbered. You
are also told what is known of it: sentences about it, and each numbered thing with what people called it
and where it is.

Write a conversation between a curious person and a careful assistant.

- Reply with nothing but a JSON list: [{"human": "..."}, {"gpt": "..."}, {"human": "..."}, {"gpt": "..."},
  ...]. The person begins, the two take turns, and there are 3 to 6 questions.
- To point at a thing, <thing N> with its number comes straight behind a noun for it, as in: What is the
  dog <thing 3> looking at? The person points in some questions, the assistant in some answers.
- An answer points at every numbered thing that it brings up, the first time it does.
- Mix what is asked: what a thing is like or does, which things do something, where something is, and why
  things may be as they are, which takes knowledge of the world. Some questions point at nothing.
- Ask only what the photo answers with certainty, and answer nothing else. What you were told is true.
- Both of them see the photo as it is. Nobody mentions numbers of things, frames, marks, boxes, a further
  picture, or what you were told; positions are said in words.
"""


def choose(scene: Scene, rng: np.random.Generator, count: int) -> list[Lesson]:
    """Draw things of a picture, and tell what is known of it; a picture has one conversation."""
    expressions = expressions_of(scene)
    things = drawn(speakable(scene, expressions), rng, MOST_THINGS)
    if len(things) < 2 or count < 1:
        return []
    sentences = [caption.text for caption in scene.captions if not is_relation(caption)]
    relations = [caption.text for caption in scene.captions if is_relation(caption)]
    told = [f"The photo is {scene.width} pixels wide and {scene.height} high."]
    if sentences:
        told += ["Sentences about it:", *(f"- {text}" for text in drawn(sentences, rng, MOST_CAPTIONS))]
    if relations:
        told += ["How things relate:", *(f"- {text}" for text in drawn(relations, rng, MOST_RELATIONS))]
    told.append("Things, with their left, top, right and bottom edges:")
    for number, thing in enumerate(things, start=1):
        edges = " ".join(f"{edge:.0f}" for edge in thing.box.as_tuple())
        told.append(f"{number}: {quoted_list(words_for(thing, expressions))}; {edges}")
    return [Lesson(f"conversation-{scene.id}", scene, tuple(thing.id for thing in things), "\n".join(told))]


def read(lesson: Lesson, content: Any, stored: Stored) -> Made:
    """Return a sample with the conversation, each turn with the places that it points at."""
    said = exchanges_of(content, least=LEAST, most=MOST)
    check_words(said)
    turns = [placed(text, lesson.things) for exchange in said for text in exchange]
    for side, pointed in (("question", turns[::2]), ("answer", turns[1::2])):
        if not any(things for _, things in pointed):
            raise Rejected(f"placeholder: no {side} points at anything")
    return Made((grit_sample(lesson, stored, turns, dataset=DATASET),))


def placed(text: str, things: tuple[int, ...]) -> tuple[str, list[int]]:
    """Return a turn with placeholders counted from 0, and the ids of the things that fill them."""
    filled: list[int] = []

    def put(words: str) -> str | None:
        match = NUMBER.fullmatch(words)
        number = int(match[1]) if match else 0
        if not 1 <= number <= len(things):
            return None
        thing = things[number - 1]
        if thing not in filled:
            filled.append(thing)
        return f"<bbox_location{filled.index(thing)}>"

    return resolved(text, put), filled


KIND = Kind(
    name="conversation",
    title="conversations that refer and ground, for Ferret's data",
    instruction=INSTRUCTION,
    schema=DIALOGUE_SCHEMA,
    file="grit",
    choose=choose,
    paint=numbered,
    read=read,
    max_tokens=2500,
)
