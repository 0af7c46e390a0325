"""What questions say that a region is, whatever way they say it, and those that say no such thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.synthesis.templates.questions import CHOICE, VERIFY
from deixis.english.claim_parser import LONGEST, claimed


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("is {it} a dog?", "a dog"),
        ("Isn't {it} a dog?", "a dog"),
        ("is {it} a brown dog with long ears?", "a brown dog"),
        ("is this a poodle? {it}", "a poodle"),
        ("is this a poodle {it}", "a poodle"),
        ("is what I pointed at a cat? {it}", "a cat"),
        ("is the thing in {it} a cup", "a cup"),
        ("Could {it} be some kind of a bird?", "a bird"),
        ("isn't {it} some kind of animal?", "an animal"),
        ("does {it} look like a dog?", "a dog"),
        ("does {it} show a dog?", "a dog"),
        ("did I mark a dog? {it}", "a dog"),
        ("is there a dog in {it}?", "a dog"),
        ("are {it} people?", "people"),
        ("is {it} water?", "water"),
        ("is {it} a dog or not?", "a dog"),
        ("is {it} a man with a hat and a coat?", "a man"),
        ("is {it} a man in a hat or not?", "a man"),
        ("is {it} a caf\u00e9?", "a caf\u00e9"),
        ("{it}: a dog, yes or no?", "a dog"),
        ("{it} is a dog, right?", "a dog"),
        ("so, is {it} really a dog then?", "a dog"),
        ("is {the thing} the man in red?", "the man"),
        ("is {it} a dog? what colour is he?", "a dog"),
        ("is {it} a dog, or something else?", "a dog"),
        ("I think {it} is a dog. Is that so?", "a dog"),
    ],
)
def test_what_a_question_says_that_its_region_is(question: str, claim: str) -> None:
    assert claimed(question) == (claim,)


@pytest.mark.parametrize(
    ("question", "choice"),
    [
        ("is {it} a man or a woman?", ("a man", "a woman")),
        ("is {it} a man, a woman, or a child with a hat?", ("a man", "a woman", "a child")),
        ("what is {it}, a dog or a cat?", ("a dog", "a cat")),
        ("which is it: a dog or a cat? {it}", ("a dog", "a cat")),
        ("is {it} grass or water?", ("grass", "water")),
        ("is {it} a man in a hat or a woman in a coat?", ("a man", "a woman")),
        ("is {it} a pair of shoes or lots of hats?", ("a pair of shoes", "lots of hats")),
    ],
)
def test_what_there_is_to_choose_from(question: str, choice: tuple[str, ...]) -> None:
    assert claimed(question) == choice


@pytest.mark.parametrize(
    "question",
    [
        "what is {it}?",
        "who is {it}?",
        "what is {it} doing?",
        "what color is {it}?",
        "is there a dog?",
        "is {a} a dog like {b}?",
        "is there a dog near {it}?",
        "is {it} a dog and a cat?",
        "is {it} next to a dog?",
        "is {it} on the table?",
        "is {it} bigger than the dog?",
        "is {it} one of the men?",
        "is {it} wearing glasses?",
        "is {it} holding a cup?",
        "is {it} sleeping?",
        "does {it} have a tail?",
        "can {it} fly?",
        "{it} is not a dog, right?",
        "is {it} a?",
        "is {it}?",
        "is {it} $?",
        "is {it} a \U0001f436?",
        "{it}: a dog",
        "where is the dog near {it}?",
        "",
    ],
)
def test_other_questions_claim_nothing(question: str) -> None:
    assert claimed(question) == ()


def test_the_wordings_of_training_claim_what_their_slot_holds() -> None:
    """With the first alternative of every choice."""
    for wording in VERIFY:
        plain = CHOICE.sub(lambda match: match.group(1).split("|")[0], wording)
        question = plain.replace("{}", "an old dog")
        assert claimed(question) == ("an old dog",), question


@given(st.text(max_size=40), st.sampled_from(("is {it} ", "{it}: ", "could {it} be a ", "{", "")))
def test_any_text_gives_phrases_of_words_or_nothing(text: str, before: str) -> None:
    for phrase in claimed(before + text):
        assert phrase.split() and len(phrase.split()) <= LONGEST
        assert all(word[0].isalnum() for word in phrase.split())


def test_a_claim_has_few_words() -> None:
    assert claimed(f"is {{it}} a {'very ' * (LONGEST - 2)}dog?") != ()
    assert claimed(f"is {{it}} a {'very ' * (LONGEST - 1)}dog?") == ()
