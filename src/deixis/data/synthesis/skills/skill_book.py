"""What the captions of all scenes say, read once: facts of each, and what can be said wrongly of others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.data.lots import pick
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import caption_words, phrases_of
from deixis.data.synthesis.qualities import Qualities
from deixis.data.synthesis.skills.caption_reader import (
    SAYING,
    ReadCaption,
    colours_of,
    deeds_of,
    doing_form,
    standings_of,
)
from deixis.data.synthesis.skills.facts import Colour, SceneFacts
from deixis.data.synthesis.skills.whole_picture import all_people, outdoors
from deixis.data.synthesis.skills.wrong_deeds import WrongDeeds
from deixis.english.nouns import head_noun
from deixis.english.sentence_parser import Sentence, SentenceParser

TRIES = 40


class SkillBook:
    """Facts of scenes, in their order, and deeds of any of them to ask wrongly about.

    parser: by default spaCy's, see ``english.sentence_parser``; scenes without phrases have no facts, nor has
    any where captions are not to be read.
    """

    def __init__(
        self, scenes: Sequence[Scene], parser: SentenceParser | None = None, *, read: bool = True
    ) -> None:
        told = [scene for scene in scenes if read and any(caption.phrases for caption in scene.captions)]
        parser = (parser or SentenceParser()) if told else parser
        texts = [caption.text for scene in told for caption in scene.captions]
        sentences = iter(() if parser is None else parser.parse(texts))
        facts = {scene.id: facts_of(scene, [next(sentences) for _ in scene.captions]) for scene in told}
        self.facts = [facts.get(scene.id, SceneFacts()) for scene in scenes]
        self.wrong_deeds = WrongDeeds(deed for found in self.facts for deed in found.deeds)
        self.qualities = Qualities(scenes)
        self.colours = [colour for found in self.facts for colour in found.colours]

    def wrong_colour(self, own: Sequence[Colour], *, rng: np.random.Generator) -> str | None:
        """Draw a colour, as often as there are things of it, that no caption gives to a thing."""
        said = {word for colour in own for word in colour.words.split()}
        for _ in range(TRIES):
            words = pick(self.colours, rng).words
            if said.isdisjoint(words.split()):
                return words
        return None


def facts_of(scene: Scene, sentences: Sequence[Sentence]) -> SceneFacts:
    """Return what the captions of a scene say, by their sentences."""
    read = [ReadCaption.of(*both) for both in zip(scene.captions, sentences, strict=True)]
    return SceneFacts(
        colours=tuple(dict.fromkeys(fact for one in read for fact in colours_of(one))),
        deeds=tuple(dict.fromkeys(fact for one in read for fact in deeds_of(one))),
        standings=tuple(dict.fromkeys(fact for one in read for fact in standings_of(one))),
        words=caption_words(scene),
        doings=frozenset(
            word.text if word.text.endswith("ing") else doing_form(word)
            for sentence in sentences
            for word in sentence
            if word.tag in SAYING or word.text.endswith("ing")
        ),
        nouns=nouns_alone(scene),
        outdoors=outdoors(scene),
        people=all_people(scene),
    )


def nouns_alone(scene: Scene) -> dict[str, tuple[int, ...]]:
    """Return the nouns that phrases of a scene use for always the same things, with these."""
    meant: dict[str, set[tuple[int, ...]]] = {}
    for text, things in phrases_of(scene).items():
        meant.setdefault(head_noun(text), set()).add(things)
    return {noun: next(iter(things)) for noun, things in meant.items() if noun and len(things) == 1}
