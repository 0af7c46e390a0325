"""What is not in a picture but might well be: the most confusable wrong entity, for Ferret's negatives."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deixis.data.grit.negatives import Negative
from deixis.data.grit.tasks import asked_about
from deixis.data.scene import Phrase, Scene
from deixis.data.sources.visual_genome import is_relation
from deixis.data.synthesis.phrasebook import caption_words, same_word
from deixis.data.teacher.lesson import Kind, Lesson, Made, Rejected, Stored
from deixis.data.teacher.marks import numbered
from deixis.data.teacher.samples import grit_record_sample
from deixis.data.teacher.words import drawn, expressions_of, speakable
from deixis.english.nouns import with_article, words_of
from deixis.english.word_classes import DETERMINERS, PREPOSITIONS

MOST_PHRASES, MOST_THINGS = 5, 3  # of a lesson; of a phrase
LONGEST = 10  # words
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,'’-]*")
SEED = 20231011  # of the wording of questions
SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST_PHRASES,
    "items": {
        "type": "object",
        "required": ["number", "wrong"],
        "additionalProperties": False,
        "properties": {
            "number": {"type": "integer", "minimum": 1, "maximum": MOST_PHRASES},
            "wrong": {"type": "string", "minLength": 1, "maxLength": 100},
        },
    },
}
INSTRUCTION = """\
You make trick questions for an assistant that looks at photos and tends to say yes. You get one photo
twice: as it is, and with what some phrases mean, or one of it, framed and numbered. Beside it you get
these phrases, numbered from 1, and what else was written about the photo.

For each phrase, find the one that is most easily mistaken for it and is wrong here: change what it is
about, or one quality or number, as little as possible, so that nothing anywhere in the photo fits the new
phrase. Examples: "a man" becomes "a woman" where there is no woman, "blue gloves" becomes "yellow
gloves", "two dogs" becomes "three dogs".

- Reply with nothing but a JSON list with one entry for each phrase: [{"number": 1, "wrong": "a woman"},
  ...].
- The new phrase is a noun phrase with the same article or number words as far as they fit, without a full
  stop.
- It uses no new word that occurs in what was written about the photo, and does not mean the same as the
  old phrase.
"""


def choose(scene: Scene, rng: np.random.Generator, count: int) -> list[Lesson]:
    """Draw phrases of captions, or where there are none, names of things; one lesson."""
    boxed = {thing.id for thing in scene.things if not thing.group}
    phrases = [
        phrase
        for caption in scene.captions
        for phrase in caption.phrases
        if phrase.things and set(phrase.things) <= boxed and len(phrase.things) <= MOST_THINGS
        if not is_relation(caption) and len(words_of(phrase.text)) <= LONGEST
    ]
    if not phrases:
        names = {thing.category: thing for thing in speakable(scene, expressions_of(scene))}
        phrases = [
            Phrase(0, len(with_article(name)), with_article(name), (thing.id,))
            for name, thing in names.items()
        ]
    distinct = {phrase.text.lower(): phrase for phrase in phrases}
    chosen = tuple(drawn(distinct.values(), rng, MOST_PHRASES))
    if not chosen or count < 1:
        return []
    told = ["Phrases:", *(f"{number}: {phrase.text}" for number, phrase in enumerate(chosen, start=1))]
    told += ["What was written:", *(f"- {caption.text}" for caption in scene.captions)]
    told.append(f"- in it are: {', '.join(sorted({thing.category for thing in scene.things}))}")
    things = tuple(phrase.things[0] for phrase in chosen)
    return [Lesson(f"negatives-{scene.id}", scene, things, "\n".join(told), chosen)]


def read(lesson: Lesson, content: Any, stored: Stored) -> Made:
    """Return two samples for each phrase: whether the wrong one is there, and whether the right one is."""
    numbers = [entry["number"] for entry in content]
    if sorted(numbers) != list(range(1, len(lesson.phrases) + 1)):
        raise Rejected(f"numbers: {numbers}; expected each from 1 to {len(lesson.phrases)} once")
    words, samples, faults = caption_words(lesson.scene), list[dict[str, Any]](), list[str]()
    for entry in sorted(content, key=lambda entry: int(entry["number"])):
        phrase, wrong = lesson.phrases[entry["number"] - 1], " ".join(entry["wrong"].split())
        if fault := fault_of(wrong, phrase.text, words):
            faults.append(f"phrase {entry['number']}: {fault}")
            continue
        rng = np.random.default_rng([SEED, entry["number"]])
        for side, record in (
            ("no", asked_about(stored.scene, "flickr", negative=Negative(wrong, near=phrase), rng=rng)),
            ("yes", asked_about(stored.scene, "flickr", positive=phrase, rng=rng)),
        ):
            samples.append(grit_record_sample(record, stored, id=f"{lesson.id}-{entry['number']}-{side}"))
    if not samples:
        raise Rejected("; ".join(faults))
    return Made(tuple(samples), tuple(faults))


def fault_of(wrong: str, phrase: str, words: frozenset[str]) -> str:
    """Return what is wrong with a wrong phrase; nothing if it will do. words: those of the picture.

    >>> fault_of("a woman", "a man", frozenset({"a", "man", "women"}))
    "'woman' is among the words of the picture"
    """
    spoken = words_of(wrong)
    if not PLAIN.fullmatch(wrong) or len(spoken) > LONGEST:
        return f"{wrong!r:.60} is no plain phrase of at most {LONGEST} words"
    new = [w for w in spoken if w not in words_of(phrase) and w not in DETERMINERS | PREPOSITIONS]
    if not new:
        return f"{wrong!r:.60} says nothing new"
    known = [word for word in new if same_word(word, words)]
    return f"{known[0]!r} is among the words of the picture" if known else ""


KIND = Kind(
    name="negatives",
    title="questions about what is not there but might well be, for Ferret's data",
    instruction=INSTRUCTION,
    schema=SCHEMA,
    file="grit",
    choose=choose,
    paint=numbered,
    read=read,
    max_tokens=500,
)
