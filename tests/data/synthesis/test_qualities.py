"""Qualities: which words tell them, and what is drawn for a thing: one that it has, one never said of it."""

from __future__ import annotations

from collections import Counter

from deixis.data.synthesis.claims import YES
from deixis.data.synthesis.qualities import UNSAID, Qualities, qualities_in
from deixis.english.nouns import words_of
from tests.evaluation.scenes import captioned

SCENES = [
    *(captioned(f"{n}", "a red hat", "the big red dog", "a small cat") for n in range(12)),
    *(captioned(f"tree{n}", "a tree", "a tree house") for n in range(12)),
    captioned("rare", "an odd thing"),
]


def test_known_are_words_that_mostly_stand_before_nouns_and_often_enough() -> None:
    assert Qualities(SCENES, at_least=10).known == ["big", "red", "small"]
    assert Qualities(SCENES, at_least=13).known == ["red"]


def test_every_thing_of_known_qualities_gets_one_that_it_has_and_one_that_it_has_not() -> None:
    qualities = Qualities(SCENES)
    drawn: Counter[str] = Counter()
    for scene in SCENES:
        claims = list(qualities.claims_about(scene, seed=0))
        assert [claim.truth for claim in claims] == [YES, UNSAID] * (len(claims) // 2)
        for claim in claims:
            phrase = scene.captions[claim.thing].text
            assert (claim.said in qualities_in(phrase)) == (claim.truth == YES)
            assert claim.truth == YES or claim.said not in words_of(phrase)
            drawn[claim.said] += 1
        assert claims == list(qualities.claims_about(scene, seed=0))
    assert set(drawn) == {"big", "red", "small"}
    assert not list(qualities.claims_about(SCENES[-1], seed=0))
    assert any(
        list(qualities.claims_about(s, seed=0)) != list(qualities.claims_about(s, seed=1)) for s in SCENES
    )


def test_where_all_qualities_are_said_of_a_thing_nothing_is_asked() -> None:
    scenes = [captioned(f"{n}", "a red hat") for n in range(12)]
    assert not [claim for s in scenes for claim in Qualities(scenes).claims_about(s, seed=0)]
