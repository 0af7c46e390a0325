"""Questions and dialogues as tokens: exact sequences for every template."""

from __future__ import annotations

import pytest

from deixis.errors import UsageError
from deixis.records.dialogue import Dialogue, Mark, Turn
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point, Region
from deixis.systems.pointer.prompts import draft_dialogue, draft_prompt
from deixis.text.token_sequence import IGNORED, Draft
from deixis.text.tokenizers.vocabulary import SPECIAL
from tests.systems.pointer.tiny import tiny_vocabulary

VOCABULARY = tiny_vocabulary()
FRAME = Frame.original(64, 64)
HERE = Box(8, 8, 40, 40, frame=FRAME)
THERE = Box(1, 2, 3, 4, frame=FRAME)
IT = Point(3, 4, frame=FRAME)


def shown(draft: Draft) -> str:
    """Write tokens as text."""
    return " ".join(VOCABULARY.pieces[token] for token in draft.ids)


def learnt(draft: Draft) -> str:
    """Write the tokens that are learnt as text."""
    assert all(label in (IGNORED, token) for token, label in zip(draft.ids, draft.labels, strict=True)), (
        "a label is the token itself"
    )
    return " ".join(VOCABULARY.pieces[label] for label in draft.labels if label != IGNORED)


def one(question: str, answer: str, *marks: Mark, it: bool = False) -> Turn:
    return Turn(question, answer, marks, (("it", IT),) if it else ())


CASES = {
    "name": (
        Dialogue("name", (one("What is {it}?", "a dog.", it=True),)),
        "<user> what is <region> ? <answer> a dog . <end>",
        "a dog . <end>",
    ),
    "name_bare": (
        Dialogue("name_bare", (one("{it}", "a dog.", it=True),)),
        "<user> <region> <answer> a dog . <end>",
        "a dog . <end>",
    ),
    "locate": (
        Dialogue("locate", (one("where is the dog?", "The dog is here.", Mark(0, 7, (HERE,))),)),
        "<user> where is the dog ? <answer> <p> the dog </p> <place> <found> is here . <end>",
        "<p> the dog </p> <place> is here . <end>",
    ),
    "absent": (
        Dialogue("absent", (one("where is a cat?", "a cat is not in the picture.", Mark(0, 5, ())),)),
        "<user> where is a cat ? <answer> <p> a cat </p> <place> <nowhere> is not in the picture . <end>",
        "<p> a cat </p> <place> is not in the picture . <end>",
    ),
    "several": (
        Dialogue("list", (one("what?", "a dog, a cat.", Mark(0, 5, (HERE, THERE)), Mark(7, 12, ())),)),
        "<user> what ? <answer> <p> a dog </p> <place> <found> , <p> a cat </p> <place> <nowhere> . <end>",
        "<p> a dog </p> <place> , <p> a cat </p> <place> . <end>",
    ),
    "locate_bare": (
        Dialogue("locate_bare", (one("", "red hat", Mark(0, 7, (HERE,))),), words_learnt=False),
        "<p> red hat </p> <place>",
        "",
    ),
    "two_turns": (
        Dialogue("two_turns", (one("what is {it}?", "a hat.", it=True), one("describe.", "a red hat."))),
        "<user> what is <region> ? <answer> a hat . <end> <user> describe . <answer> a red hat . <end>",
        "a hat . <end> a red hat . <end>",
    ),
    "given words": (
        Dialogue("given", (one("where is it?", "the dog", Mark(0, 7, (HERE,))),), words_learnt=False),
        "<user> where is it ? <answer> <p> the dog </p> <place> <found> <end>",
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_dialogues(name: str) -> None:
    dialogue, tokens, labels = CASES[name]
    draft = draft_dialogue(dialogue, VOCABULARY)
    assert shown(draft) == tokens
    assert learnt(draft) == labels


def test_places_and_regions_are_in_the_order_of_their_tokens() -> None:
    turns = (
        Turn("is {a} near {b} and {a}?", "The dog and a cat.", (Mark(0, 7, (HERE, THERE)), Mark(12, 17, ())),
             (("b", HERE), ("a", IT))),
        Turn("and {c}?", "a hat.", (Mark(0, 5, (THERE,)),), (("c", THERE),)),
    )  # fmt: skip
    draft = draft_dialogue(Dialogue("any", turns), VOCABULARY)
    assert draft.regions == [IT, HERE, IT, THERE]
    assert draft.places == [("the dog", (HERE, THERE)), ("a cat", ()), ("a hat", (THERE,))]


def test_a_prompt_ends_where_its_answer_begins() -> None:
    draft = draft_prompt("Is {it} a dog?", {"it": IT}, VOCABULARY)
    assert shown(draft) == "<user> is <region> a dog ? <answer>"
    assert draft.labels == [IGNORED] * len(draft.ids)
    assert draft.regions == [IT]


def test_a_prompt_is_the_beginning_of_its_dialogue() -> None:
    """What is asked and what was learnt agree token by token, with and without a history."""
    first = one("what is {it}?", "a hat.", it=True)
    second = one("where is the dog?", "the dog is here.", Mark(0, 7, (HERE,)))
    third = one("and where is a cat?", "a cat is not here.", Mark(0, 5, ()))
    whole = draft_dialogue(Dialogue("any", (first, second, third)), VOCABULARY)
    asked = draft_prompt(third.question, {}, VOCABULARY, before=[first, second])
    assert whole.ids[: len(asked.ids)] == asked.ids
    assert shown(asked).endswith("is here . <end> <user> and where is a cat ? <answer>")
    assert asked.regions == [IT]
    assert set(asked.labels) == {IGNORED}


def test_each_place_may_have_a_token_of_its_own() -> None:
    dialogue, *_ = CASES["several"]
    draft = draft_dialogue(dialogue, VOCABULARY, most_found=5)
    assert "<place> <found> <found> , <p> a cat </p> <place> <nowhere>" in shown(draft)
    assert draft_dialogue(dialogue, VOCABULARY, most_found=1).ids == draft_dialogue(dialogue, VOCABULARY).ids


def test_a_region_that_nobody_gave() -> None:
    with pytest.raises(UsageError, match=r"refers to \{it\}; regions given: a, b. Pass it=Box"):
        draft_prompt("what is {it}?", {"b": HERE, "a": IT}, VOCABULARY)


@pytest.mark.parametrize(
    "text", ["", "  ", "{it}", "{{it}}", "{it", "it}", "{}", "<region>", "{<region>}", "{it}{it}"]
)
def test_only_braces_with_a_name_are_regions(text: str) -> None:
    regions: dict[str, Region] = {"it": IT, "": HERE, "<region>": THERE}
    draft = draft_prompt(text, regions, VOCABULARY)
    assert (
        draft.ids.count(2) == len(draft.regions) == text.count("{it}") + text.count("{}") + text.count("{<")
    )
    assert [token for token in draft.ids if token < len(SPECIAL) and token != 2] == [3, 4]


@pytest.mark.parametrize(
    ("turns", "named"),
    [
        ([one("what is {it}?", "A dog.", it=True)], ["a dog"]),
        ([one("{it}", "a dog", it=True)], ["a dog"]),
        ([one("what is {it}? is {it} a dog?", "a dog.", it=True)], [None, None]),
        ([one("what is {it}?", "a dog is here.", Mark(0, 5, (HERE,)), it=True)], [None]),
        ([one("what is this?", "a dog.")], []),
        ([one("what is {it}?", "a hat.", it=True), one("and?", "red."), one("{it}?", "a cat.", it=True)],
         ["a hat", "a cat"]),
    ],
)  # fmt: skip
def test_a_region_is_named_by_an_answer_that_does_nothing_else(
    turns: list[Turn], named: list[str | None]
) -> None:
    draft = draft_dialogue(Dialogue("any", tuple(turns)), VOCABULARY)
    assert draft.named == named
    assert len(draft.named) == len(draft.regions)


def test_an_answer_may_hold_braces() -> None:
    draft = draft_dialogue(Dialogue("any", (one("what?", "a {it}."),)), VOCABULARY)
    assert shown(draft).endswith("<answer> a { it } . <end>")
    assert draft.regions == []


def test_contractions_of_a_question_are_spelt_out_and_names_of_regions_are_not() -> None:
    regions = {"what's": IT, "it": IT}
    short = draft_prompt("What's {what's}, isn't it {it}?", regions, VOCABULARY)
    full = draft_prompt("What is {what's}, is not it {it}?", regions, VOCABULARY)
    assert short.ids == full.ids and short.regions == [IT, IT]
