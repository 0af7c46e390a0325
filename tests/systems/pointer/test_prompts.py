"""Questions and dialogues as tokens: exact sequences for every template."""

from __future__ import annotations

import pytest

from deixis.errors import UsageError
from deixis.records.dialogue import Dialogue, Mark, Turn
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point, Region
from deixis.systems.pointer.prompts import dialogue_tokens, prompt_tokens
from deixis.text.token_sequence import IGNORED, TokenSequence
from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL, UNKNOWN
from tests.systems.pointer.tiny import tiny_vocabulary

VOCABULARY = tiny_vocabulary()
FRAME = Frame.original(64, 64)
HERE = Box(8, 8, 40, 40, frame=FRAME)
THERE = Box(1, 2, 3, 4, frame=FRAME)
IT = Point(3, 4, frame=FRAME)


def shown(sequence: TokenSequence) -> str:
    """Write tokens as text."""
    return " ".join(VOCABULARY.pieces[token] for token in sequence.ids)


def learnt(sequence: TokenSequence) -> str:
    """Write the tokens that are learnt as text."""
    assert all(
        label in (IGNORED, token) for token, label in zip(sequence.ids, sequence.labels, strict=True)
    ), "a label is the token itself"
    return " ".join(VOCABULARY.pieces[label] for label in sequence.labels if label != IGNORED)


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
    sequence = dialogue_tokens(dialogue, VOCABULARY)
    assert shown(sequence) == tokens
    assert learnt(sequence) == labels


def test_places_and_regions_are_in_the_order_of_their_tokens() -> None:
    turns = (
        Turn("is {a} near {b} and {a}?", "The dog and a cat.", (Mark(0, 7, (HERE, THERE)), Mark(12, 17, ())),
             (("b", HERE), ("a", IT))),
        Turn("and {c}?", "a hat.", (Mark(0, 5, (THERE,)),), (("c", THERE),)),
    )  # fmt: skip
    sequence = dialogue_tokens(Dialogue("any", turns), VOCABULARY)
    assert sequence.regions == [IT, HERE, IT, THERE]
    assert sequence.places == [("the dog", (HERE, THERE)), ("a cat", ()), ("a hat", (THERE,))]


def test_a_prompt_ends_where_its_answer_begins() -> None:
    sequence = prompt_tokens("Is {it} a dog?", {"it": IT}, VOCABULARY)
    assert shown(sequence) == "<user> is <region> a dog ? <answer>"
    assert sequence.labels == [IGNORED] * len(sequence.ids)
    assert sequence.regions == [IT]


def test_a_prompt_is_the_beginning_of_its_dialogue() -> None:
    """What is asked and what was learnt agree token by token, with and without a history."""
    first = one("what is {it}?", "a hat.", it=True)
    second = one("where is the dog?", "the dog is here.", Mark(0, 7, (HERE,)))
    third = one("and where is a cat?", "a cat is not here.", Mark(0, 5, ()))
    whole = dialogue_tokens(Dialogue("any", (first, second, third)), VOCABULARY)
    asked = prompt_tokens(third.question, {}, VOCABULARY, before=[first, second])
    assert whole.ids[: len(asked.ids)] == asked.ids
    assert shown(asked).endswith("is here . <end> <user> and where is a cat ? <answer>")
    assert asked.regions == [IT]
    assert set(asked.labels) == {IGNORED}


def test_each_place_may_have_a_token_of_its_own() -> None:
    dialogue, *_ = CASES["several"]
    sequence = dialogue_tokens(dialogue, VOCABULARY, most_found=5)
    assert "<place> <found> <found> , <p> a cat </p> <place> <nowhere>" in shown(sequence)
    assert (
        dialogue_tokens(dialogue, VOCABULARY, most_found=1).ids == dialogue_tokens(dialogue, VOCABULARY).ids
    )


def test_a_region_that_nobody_gave() -> None:
    with pytest.raises(
        UsageError, match=r"speaks of \{it\}, but the regions given are: a, b\. .* \{\{it\}\}"
    ):
        prompt_tokens("what is {it}?", {"b": HERE, "a": IT}, VOCABULARY)


@pytest.mark.parametrize(
    "text", ["", "  ", "{it}", "{{it}}", "{it", "it}", "{}", "<region>", "{<region>}", "{it}{it}"]
)
def test_only_braces_with_a_name_are_regions(text: str) -> None:
    regions: dict[str, Region] = {"it": IT, "": HERE, "<region>": THERE}
    sequence = prompt_tokens(text, regions, VOCABULARY)
    pointing = text.replace("{{it}}", "")  # doubled braces are braces
    wanted = pointing.count("{it}") + pointing.count("{}") + pointing.count("{<")
    assert sequence.ids.count(2) == len(sequence.regions) == wanted
    assert [token for token in sequence.ids if token < len(SPECIAL) and token != 2] == [3, 4]


@pytest.mark.parametrize(
    ("turns", "region_names"),
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
    turns: list[Turn], region_names: list[str | None]
) -> None:
    sequence = dialogue_tokens(Dialogue("any", tuple(turns)), VOCABULARY)
    assert sequence.region_names == region_names
    assert len(sequence.region_names) == len(sequence.regions)


def test_an_answer_may_hold_braces() -> None:
    sequence = dialogue_tokens(Dialogue("any", (one("what?", "a {it}."),)), VOCABULARY)
    assert shown(sequence).endswith("<answer> a { it } . <end>")
    assert sequence.regions == []


def test_contractions_of_a_question_are_spelt_out_and_names_of_regions_are_not() -> None:
    regions = {"what's": IT, "it": IT}
    short = prompt_tokens("What's {what's}, isn't it {it}?", regions, VOCABULARY)
    full = prompt_tokens("What is {what's}, is not it {it}?", regions, VOCABULARY)
    assert short.ids == full.ids and short.regions == [IT, IT]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("狗在哪里？", r"“狗”, “在”, “哪”, “里”"),
        ("Где собака?", "“Где”, “собака”"),
        ("is {it} a собака or a dog?", "“собака”"),
        ("where is the 🐕?", "“🐕”"),
        ("where is the " + "o" * 65 + "?", "“ooooooooooooooooooooooo…”"),
    ],
)
def test_words_that_cannot_be_spelt_are_named(question: str, words: str) -> None:
    """An answer to unknown words would be a guess: in the question, and in those before it."""
    with pytest.raises(UsageError, match=rf"doesn't know and can't spell: {words}\. It reads English"):
        prompt_tokens(question, {"it": IT}, VOCABULARY)
    before = Turn(question, "a dog.", (), (("it", IT),))
    with pytest.raises(UsageError, match=words):
        prompt_tokens("where is it?", {}, VOCABULARY, before=[before])
    assert UNKNOWN.id in dialogue_tokens(Dialogue("any", (before,)), VOCABULARY).ids, "training goes on"


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ("wher si teh windshieeld, plaese?", None),
        ("Where’s the “dog”?", 'where is the "dog"?'),
        ("Wo ist der Hund — in der Straße?", "wo ist der hund - in der strasse?"),
        ("a café…", "a cafe..."),
    ],
)
def test_typos_and_typography_are_read(question: str, plain: str | None) -> None:
    ids = prompt_tokens(question, {}, VOCABULARY).ids
    assert UNKNOWN.id not in ids
    assert plain is None or ids == prompt_tokens(plain, {}, VOCABULARY).ids
