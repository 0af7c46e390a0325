"""What a dialogue has to keep to: each rule with dialogues that break it, and one that is right."""

from __future__ import annotations

import json

import pytest

from deixis.data.teacher.dialogue_rules import check_words, exchanges_of, require_tags, resolved
from deixis.data.teacher.kinds.region import tag
from deixis.data.teacher.lesson import Rejected
from tests.data.teacher.school import GOOD, dialogue

ASKED = "What is the dog <within red mask> doing?"


def test_a_dialogue_that_is_right() -> None:
    said = exchanges_of(json.loads(GOOD["region"]), least=2, most=5)
    check_words(said)
    turns = [(resolved(question, tag), resolved(answer, tag)) for question, answer in said]
    require_tags(turns, ("<bbox>",))
    assert turns[0] == ("What is the dog <bbox> doing?", "The dog <bbox> lies still.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps([{"gpt": "a"}, {"human": "b"}]), "alternation"),
        (json.dumps([{"human": "a"}, {"human": "b"}]), "alternation"),
        (dialogue("a?", "b", "c?"), "alternation"),
        (dialogue("a?", "b"), "turns: 1 questions; expected 2 to 5"),
        (dialogue(*"abcdefghijkl"), "turns: 6"),
        (dialogue("a?", "  \n ", "c?", "d"), "empty"),
    ],
)
def test_turns(text: str, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        exchanges_of(json.loads(text), least=2, most=5)


@pytest.mark.parametrize(
    "words",
    [
        "the bounding box", "The Bounding-Boxes", "what is marked", "the marks", "a red box",
        "the blue rectangle",
        "the red mask", "the masked area", "the highlighted dog", "the second image", "in the other picture",
        "both photos", "the original image", "the annotations", "the caption says",
        "the given description",
        "this triplet", "the subject", "its coordinates", "a visual prompt", "as annotated",
        "outlined in red",
        "the first of the pictures", "segmented", "your placeholder", "the coloured region",
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", [0, 1])
def test_what_only_the_writer_sees_is_not_mentioned(words: str, side: int) -> None:
    texts = ["What is it?", "A dog."]
    texts[side] = f"I mean {words} there."
    with pytest.raises(Rejected, match="forbidden: it says"):
        check_words([(texts[0], texts[1])])


@pytest.mark.parametrize(
    "words",
    ["a landmark", "a surgeon's mask", "a red boxer", "a remarkable dog", "a market", "a photo on the wall",
     "the second dog", "a red car <within red mask>", "an objection", "a trademark"],
)  # fmt: skip
def test_ordinary_words_may_be_said(words: str) -> None:
    check_words([(f"What of {words}?", f"That is {words}.")])


@pytest.mark.parametrize(
    "answer",
    ["I'm sorry, I can't help.", "As an AI, I see no one.", "Sorry.", "I cannot identify people.",
     "I’m not able to say."],
)  # fmt: skip
def test_answers_that_decline(answer: str) -> None:
    with pytest.raises(Rejected, match="refusal"):
        check_words([("Who is it?", answer)])


def test_rambling_and_repetition() -> None:
    with pytest.raises(Rejected, match="too long: an answer has 301 words"):
        check_words([("Why?", "so " * 301)])
    with pytest.raises(Rejected, match="asks the same twice"):
        check_words([("Why?", "So."), ("why?", "Because.")])
    with pytest.raises(Rejected, match="repetition: question and answer"):
        check_words([("Why?", "why?")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ASKED, "What is the dog <bbox> doing?"),
        ("The dog<within red mask>.", "The dog <bbox>."),
        ("The dog  <  Within the RED box >, asleep", "The dog <bbox>, asleep"),
        ("the old man's T-shirt <within red mask>", "the old man's T-shirt <bbox>"),
        ("no placeholder", "no placeholder"),
    ],
)
def test_placeholders_are_resolved(text: str, expected: str) -> None:
    assert resolved(text, tag) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<within red mask> is what?", "no noun stands before"),
        ("What is the <within red mask>?", "no noun"),
        ("What is it <within red mask>?", "no noun"),
        ("What is in <within red mask>?", "no noun"),
        ("The dog, <within red mask>?", "no noun"),
        ("The dog <within blue mask>?", "is none that it was given"),
        ("The dog <bbox>?", "is none that it was given"),
        ("<image>\nthe dog", "is none that it was given"),
        ("The dog <within red mask> < cat?", "loose bracket"),
        ("The dog <within red mask", "loose bracket"),
        ("The dog within red mask>", "loose bracket"),
    ],
)
def test_placeholders_that_are_wrong(text: str, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        resolved(text, tag)


def test_placeholders_that_are_missing() -> None:
    require_tags([("a <bbox0>", ""), ("b <bbox1>", "")], ("<bbox0>", "<bbox1>"))
    with pytest.raises(Rejected, match="the first question has none"):
        require_tags([("a", "x <bbox0>"), ("b <bbox0>", "")], ("<bbox0>",))
    with pytest.raises(Rejected, match="no question has <bbox1>"):
        require_tags([("a <bbox0>", "x <bbox1>")], ("<bbox0>", "<bbox1>"))
