"""Qualified phrases: what captions tie together, and phrases of which one half is in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deixis.data.augment import Augmentation
from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.dialogue_mix import DialogueMix
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words
from deixis.data.synthesis.qualified import (
    Qualified,
    all_qualified,
    linking,
    qualified_phrases,
    surely_absent,
)
from deixis.data.synthesis.views import DialogueSource
from deixis.regions.shapes import Box
from tests.toy.pack import write_toy_pack

PEOPLE, CLOTHES, SCENE = ("people",), ("clothing",), ("scene",)


def caption_of(*parts: str | tuple[str, tuple[int, ...], tuple[str, ...]]) -> Caption:
    """A caption of texts and phrases; a phrase is (text, things, types)."""
    text, phrases = "", []
    for part in parts:
        words = part if isinstance(part, str) else part[0]
        if not isinstance(part, str):
            phrases.append(Phrase(len(text), len(text) + len(words), words, things=part[1], types=part[2]))
        text += words
    return Caption(text, tuple(phrases))


def scene_of(*captions: Caption) -> Scene:
    things = tuple(Thing(number, Box(0, 0, 9, 9), "thing") for number in (1, 2, 3))
    return Scene("7", PictureFile(Path("7.jpg")), 64, 64, things, captions, ())


@pytest.mark.parametrize(
    ("between", "link"),
    [
        (" in ", "in"),
        (" is wearing ", "wearing"),
        (" who are sitting on ", "sitting on"),
        (" In front of ", "in front of"),
        (" dressed in ", "dressed in"),
        (" and ", ""),
        (" jumps over ", ""),
        (" is ", ""),
        (" , in ", ""),
        (" as ", ""),
        (" bring ", ""),
        (" in and holding ", ""),
        (" running up and down along ", ""),
        ("", ""),
    ],
)
def test_prepositions_and_participles_tie_phrases(between: str, link: str) -> None:
    assert linking(between) == link


def test_a_phrase_goes_on_with_what_is_said_of_it() -> None:
    caption = caption_of(
        ("A girl", (1,), PEOPLE),
        " in ",
        ("a black shirt", (2,), CLOTHES),
        " is looking at ",
        ("a fire", (3,), SCENE),
    )
    assert qualified_phrases(scene_of(caption)) == {
        "a girl in a black shirt": Qualified("a girl", "in a black shirt", "shirt", (1,))
    }  # the shirt looks at nothing


def test_what_is_not_of_people_is_qualified_only_where_a_caption_begins() -> None:
    rock = ("a rock", (2,), ("other",))
    first = caption_of(rock, " in ", ("the sea", (3,), SCENE))
    later = caption_of(("A man", (1,), PEOPLE), " jumps off ", rock, " on ", ("a bike", (3,), ("vehicles",)))
    doing = caption_of(rock, " holding ", ("a bike", (3,), ("vehicles",)))
    assert list(qualified_phrases(scene_of(first))) == ["a rock in the sea"]
    assert qualified_phrases(scene_of(later)) == qualified_phrases(scene_of(doing)) == {}


def test_the_same_words_of_two_captions_mean_all_their_things_and_unboxed_heads_are_left_out() -> None:
    hat = ("a hat", (3,), CLOTHES)
    one, other, unknown = (caption_of(("A man", things, PEOPLE), " in ", hat) for things in ((2,), (1,), ()))
    assert qualified_phrases(scene_of(one, other, unknown))["a man in a hat"].things == (1, 2)
    assert qualified_phrases(scene_of(unknown)) == {}


def test_an_absent_phrase_has_one_half_of_the_picture_and_one_whose_noun_no_caption_has() -> None:
    own = [Qualified("a man", "in a hat", "hat", (1,))]
    others = [Qualified("a dog", "on a boat", "boat", (4,)), Qualified("two men", "in hats", "hats", (5,))]
    words = frozenset(["a", "man", "in", "hat"])
    rng = np.random.default_rng(0)
    drawn = [made for _ in range(60) if (made := surely_absent(own, others, words, rng))]
    assert {made.text for made in drawn} >= {"a man on a boat", "a dog in a hat"}
    assert not {"a man in hats", "a dog on a boat", "a man in a hat"} & {made.text for made in drawn}
    assert {made.things for made in drawn} == {()}
    assert surely_absent(own, others[1:], words | {"men", "hats"}, rng) is None
    assert surely_absent([], others, words, rng) is surely_absent(own, [], words, rng) is None


def test_dialogues_ask_for_qualified_phrases_and_after_them(tmp_path: Path) -> None:
    scenes = read_pack(write_toy_pack(tmp_path, pictures=8, seed=1), "train")
    mix = DialogueMix(qualified=3.0, qualified_bare=3.0)
    source = DialogueSource(
        scenes, phrasebook=Phrasebook(scenes), mix=mix, augmentation=Augmentation(), side=64
    )
    known = {made.text for made in all_qualified(scenes)}
    rng, verdicts, placed = np.random.default_rng(0), set(), set()
    for index, scene in list(enumerate(scenes)) * 4:
        own = qualified_phrases(scene)
        for dialogue in source.example(index, rng).dialogues:
            if not dialogue.kind.startswith("qualified"):
                continue
            (turn,) = dialogue.turns
            (mark,) = turn.marks
            phrase = turn.answer[mark.start : mark.end]
            there = bool(mark.boxes)
            placed.add(there)
            if "?" in turn.answer:
                said_yes = "? yes, " in turn.answer
                verdicts.add(said_yes)
                assert said_yes == there
            if there and not phrase.startswith("the "):
                assert phrase in own and len(mark.boxes) == len(own[phrase].things)
            elif not there:
                words = caption_words(scene)
                assert phrase not in known or not set(phrase.split()) <= words
    assert verdicts == placed == {True, False}
