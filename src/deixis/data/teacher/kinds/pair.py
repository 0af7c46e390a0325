"""Dialogues about two things and how they relate: what ViP-LLaVA trains on as "vg_rel-gpt4v"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from deixis.data.scene import Caption, Scene, Thing
from deixis.data.sources.visual_genome import is_relation
from deixis.data.teacher.dialogue_rules import (
    DIALOGUE_SCHEMA,
    check_words,
    exchanges_of,
    require_tags,
    resolved,
)
from deixis.data.teacher.lesson import Kind, Lesson, Made, Stored
from deixis.data.teacher.marks import in_red_and_blue
from deixis.data.teacher.samples import region_sample
from deixis.data.teacher.words import drawn, expressions_of, quoted_list, speakable, words_for

LEAST, MOST = 2, 5
MOST_THINGS = 20  # that pairs are drawn from where nobody wrote about two of them
PLACEHOLDER = re.compile(r"within (?:the )?(red|blue) box")
TAGS = {"red": "<bbox0>", "blue": "<bbox1>"}
INSTRUCTION = """\
You write practice dialogues for an assistant that looks at photos. You get one photo twice: as it is, and
with two things in it framed, the first in red and the second in blue, so that you know which are meant.
You are also told something that people wrote about the two.

Write what a curious person who points at these two things might ask, and what a careful assistant would
answer.

- Reply with nothing but a JSON list: [{"human": "..."}, {"gpt": "..."}, {"human": "..."}, {"gpt": "..."},
  ...]. The person begins, the two take turns, and there are 2 to 5 questions.
- Whenever one of the things comes up, use a noun for it. Straight behind that noun comes <within red box>
  for the first thing and <within blue box> for the second, as in: Is the man <within red box> holding the
  cup <within blue box>? Both come up in the questions, one of them in the first question.
- Ask how the two relate: where they are, what one does to the other, how they differ, why that may be. At
  least one question has to need knowledge of the world, or thinking, beyond what is seen.
- Where thinking is asked for, answer in 50 to 200 words and give reasons. Other answers are full
  sentences.
- Ask only what this photo answers with certainty, and answer nothing else.
- Both of them see the photo as it is. Nobody mentions frames, marks, boxes or colours of them, a further
  picture, or what you were told about the two.
- Nobody calls anything a subject, or an object where its name will do.
"""


def choose(scene: Scene, rng: np.random.Generator, count: int) -> list[Lesson]:
    """Draw pairs: related things where the dataset has some, else pairs of a caption, else any two."""
    expressions = expressions_of(scene)
    things = speakable(scene, expressions)
    usable = frozenset(thing.id for thing in things)
    related = [caption for caption in scene.captions if is_relation(caption)]
    written = pairs_of(related, usable) or pairs_of(scene.captions, usable)
    told = written or chance_pairs(drawn(things, rng, MOST_THINGS), expressions)
    chosen = drawn(told, rng, count) if written else list(told)[:count]
    return [
        Lesson(f"vg_rel-gpt4v-{scene.id}-{one}-{other}", scene, (one, other), told[one, other])
        for one, other in chosen
    ]


def pairs_of(captions: Sequence[Caption], usable: frozenset[int]) -> dict[tuple[int, int], str]:
    """Return pairs of things that a caption has a phrase each for, and what is told of them."""
    found: dict[tuple[int, int], str] = {}
    for caption in captions:
        alone = [phrase for phrase in caption.phrases if len(phrase.things) == 1]
        for one, other in combinations(alone, 2):
            ids = (one.things[0], other.things[0])
            if ids[0] != ids[1] and usable.issuperset(ids):
                named = f'The first is "{one.text}", the second "{other.text}".'
                found.setdefault(ids, f'People wrote: "{caption.text}" {named}')
    return found


def chance_pairs(things: Sequence[Thing], expressions: dict[int, list[str]]) -> dict[tuple[int, int], str]:
    """Return all pairs of things and what is told of them, those of different categories first."""
    pairs = sorted(combinations(things, 2), key=lambda pair: pair[0].category == pair[1].category)
    names = {thing.id: quoted_list(words_for(thing, expressions)) for thing in things}
    return {
        (one.id, other.id): f"People called the first: {names[one.id]}; the second: {names[other.id]}."
        for one, other in pairs
    }


def read(lesson: Lesson, content: Any, stored: Stored) -> Made:
    """Return a sample with the dialogue."""
    said = exchanges_of(content, least=LEAST, most=MOST)
    check_words(said)
    turns = [(resolved(question, tag), resolved(answer, tag)) for question, answer in said]
    require_tags(turns, TAGS.values())
    return Made((region_sample(lesson, stored, turns),))


def tag(words: str) -> str | None:
    """Return what stands in samples for a placeholder."""
    match = PLACEHOLDER.fullmatch(words)
    return TAGS[match[1]] if match else None


KIND = Kind(
    name="pair",
    title="dialogues about two things and how they relate",
    instruction=INSTRUCTION,
    schema=DIALOGUE_SCHEMA,
    file="regions",
    choose=choose,
    paint=in_red_and_blue,
    read=read,
)
