"""Dialogues about one thing: what ViP-LLaVA trains on as "refcocog-gpt4v"."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deixis.data.scene import Scene
from deixis.data.teacher.dialogue_rules import (
    DIALOGUE_SCHEMA,
    check_words,
    exchanges_of,
    require_tags,
    resolved,
)
from deixis.data.teacher.lesson import Kind, Lesson, Made, Stored
from deixis.data.teacher.marks import in_red
from deixis.data.teacher.samples import region_sample
from deixis.data.teacher.words import drawn, expressions_of, quoted_list, speakable, words_for

LEAST, MOST = 2, 5
PLACEHOLDER = re.compile(r"within (?:the )?red (?:mask|box)")
TAG = "<bbox>"
INSTRUCTION = """\
You write practice dialogues for an assistant that looks at photos. You get one photo twice: as it is, and
with one thing in it coloured or framed in red so that you know which one is meant. You are also told what
people called it.

Write what a curious person who points at that thing might ask, and what a careful assistant would answer.

- Reply with nothing but a JSON list: [{"human": "..."}, {"gpt": "..."}, {"human": "..."}, {"gpt": "..."},
  ...]. The person begins, the two take turns, and there are 2 to 5 questions.
- Whenever the thing comes up, use a noun for it. At least in the first question, <within red mask> comes
  straight behind that noun, as in: What is the dog <within red mask> doing?
- Ask about different matters: what it looks like, what it does, how it relates to what is around it. At
  least one question has to need knowledge of the world, or thinking, beyond what is seen.
- Where thinking is asked for, answer in 50 to 200 words and give reasons. Other answers are full
  sentences.
- Ask only what this photo answers with certainty, and answer nothing else.
- Both of them see the photo as it is. Nobody mentions colouring, frames, marks, boxes or masks, a further
  picture, or what you were told about the thing.
- Nobody calls anything a subject.
"""


def choose(scene: Scene, rng: np.random.Generator, count: int) -> list[Lesson]:
    """Draw things, those that people wrote about first."""
    expressions = expressions_of(scene)
    things = drawn(speakable(scene, expressions), rng, len(scene.things))
    things.sort(key=lambda thing: thing.id not in expressions)
    return [
        Lesson(
            id=f"refcocog-gpt4v-{scene.id}-{thing.id}",
            scene=scene,
            things=(thing.id,),
            given=f"People called it: {quoted_list(words_for(thing, expressions))}.",
        )
        for thing in things[:count]
    ]


def read(lesson: Lesson, content: Any, stored: Stored) -> Made:
    """Return a sample with the dialogue."""
    said = exchanges_of(content, least=LEAST, most=MOST)
    check_words(said)
    turns = [(resolved(question, tag), resolved(answer, tag)) for question, answer in said]
    require_tags(turns, (TAG,))
    return Made((region_sample(lesson, stored, turns),))


def tag(words: str) -> str | None:
    """Return what stands in samples for a placeholder."""
    return TAG if PLACEHOLDER.fullmatch(words) else None


KIND = Kind(
    name="region",
    title="dialogues about one thing",
    instruction=INSTRUCTION,
    schema=DIALOGUE_SCHEMA,
    file="regions",
    choose=choose,
    paint=in_red,
    read=read,
)
