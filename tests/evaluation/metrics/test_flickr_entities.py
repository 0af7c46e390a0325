from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError
from deixis.evaluation.metrics.flickr_entities import (
    AskedSentence,
    TruePhrase,
    read_true_phrases,
    same_phrase,
    score_phrases,
    sentences_of,
)
from deixis.evaluation.metrics.rules import Overlap
from deixis.files.json_files import Fields

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "formats" / "flickr30k_entities"
KEY = ("7", 0)


def asked(*phrases: str) -> dict[tuple[str, int], AskedSentence]:
    return {KEY: AskedSentence("7", 0, 1000, 1000, phrases)}


def phrase(
    words: str, *corners: tuple[int, int, int, int], types: tuple[str, ...] = ("people",)
) -> TruePhrase:
    return TruePhrase(words, words, types, corners)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("A man", "a man.", True),
        ("man's hat", "mans hat", False),
        ("man 's hat", "man's hat", True),
        ("man , hat", "man, hat", True),
        ("two  men", "two men", True),
        ("man", "men", False),
        ("left-hand", "lefthand", True),
        ("", "", True),
    ],
)
def test_same_phrase(first: str, second: str, same: bool) -> None:
    assert same_phrase(first, second) is same


def test_the_question_joins_the_phrases() -> None:
    (one,) = asked("Two men", "a red, old car").values()
    assert one.question == "What are the locations of two men, a red old car?"


def row(**changes: Any) -> dict[str, Any]:
    return {
        "original_img_id": 7,
        "sentence_id": 0,
        "caption": "Two men and a dog .",
        "width": 10,
        "height": 10,
        "tokens_positive_eval": [[[0, 7]], [[12, 13], [14, 17]]],
        **changes,
    }


def test_sentences_are_read_by_picture_and_place() -> None:
    found = sentences_of(Fields({"images": [row(), row(sentence_id=1)]}, "gt.json"))
    assert list(found) == [("7", 0), ("7", 1)]
    assert found[KEY].phrases == ("Two men", "a dog")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row()], "sentence 0 of picture 7 stands here a second time"),
        ([row(tokens_positive_eval=[[[0, 99]]])], "expected \\[start, end\\] within the 19 characters"),
        ([row(tokens_positive_eval=[[]])], "expected \\[start, end\\]"),
        ([row(tokens_positive_eval=[7])], "expected \\[start, end\\]"),
        ([row(sentence_id=-1)], "at least 0"),
    ],
)
def test_mistakes_in_sentences(rows: list[Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        sentences_of(Fields({"images": rows}, "gt.json"))


MEN = phrase("Two men", (1, 1, 100, 200), (301, 1, 400, 200))


@pytest.mark.parametrize(
    ("text", "merged", "any_box"),
    [
        ("two men [0, 0, 400, 200]", 1.0, 0.0),
        ("two men [0, 0, 100, 200] [300, 0, 400, 200]", 0.0, 1.0),
        ("two boys [0, 0, 400, 200]", 0.0, 0.0),
        ("There are two men [0, 0, 400, 200].", 1.0, 0.0),
    ],
)
def test_merged_and_any_box(text: str, merged: float, any_box: float) -> None:
    for rule, expected in ((True, merged), (False, any_box)):
        scores = score_phrases(asked("Two men"), {KEY: text}, {KEY: [MEN]}, merged=rule)
        assert scores.value == expected


def test_recalls_by_k_and_type() -> None:
    truth = {KEY: [MEN, phrase("a dog", (1, 501, 100, 600), types=("animals", "other"))]}
    text = "two men [0, 0, 9, 9], two men [0, 0, 400, 200]. a dog [0, 500, 100, 600]. the lake [1, 2]"
    scores = score_phrases(asked("Two men", "a dog", "the lake"), {KEY: text}, truth, ks=(1, 2, None))
    assert (scores.n, scores.value, scores.parse_failures, scores.unscored) == (2, 0.5, 1, 1)
    assert scores.to_dict()["Recall@1_people"] == 0.0
    assert scores.to_dict()["Recall@2_people"] == scores.to_dict()["Upper_bound_all"] == 1.0
    assert scores.to_dict()["Recall@1_other"] == scores.to_dict()["Recall@1_animals"] == 1.0
    published = score_phrases(asked("Two men", "a dog", "the lake"), {KEY: text}, truth, protocol="published")
    assert (published.value, published.parse_failures) == (0.0, 1)  # one bad bracket costs all boxes


def test_the_last_column_and_row_belong_to_a_box() -> None:
    truth = {KEY: [phrase("a dog", (1, 1, 10, 10))]}
    exact = {KEY: "a dog [0, 0, 10, 10]"}
    whole = Overlap(1.0)
    assert score_phrases(asked("a dog"), exact, truth, overlap=whole).value == 1.0
    assert score_phrases(asked("a dog"), exact, truth, overlap=whole, protocol="published").value == 0.0


def test_a_phrase_that_stands_twice_means_two_entities() -> None:
    truth = {KEY: [phrase("a man", (1, 1, 100, 100)), phrase("a man", (501, 501, 600, 600))]}
    text = {KEY: "a man [0, 0, 100, 100]. a man [500, 500, 600, 600]"}
    assert score_phrases(asked("a man", "a man"), text, truth).value == 1.0
    # Published: both times the first entity, and the first box.
    swapped = {KEY: "a man [500, 500, 600, 600]. a man [0, 0, 100, 100]"}
    assert score_phrases(asked("a man", "a man"), text, truth, protocol="published").value == 1.0
    assert score_phrases(asked("a man", "a man"), swapped, truth, protocol="published").value == 0.0


def test_words_that_look_like_a_lead_in_are_asked_for_all_the_same() -> None:
    truth = {KEY: [phrase("that man", (1, 1, 100, 100))]}
    assert score_phrases(asked("that man"), {KEY: "that man [0, 0, 100, 100]"}, truth).value == 1.0


def test_nothing_asked_is_no_zero() -> None:
    scores = score_phrases({}, {}, {})
    assert (scores.n, scores.value, scores.recalls) == (0, None, {})


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real sample is not beside the checkout")
@pytest.mark.parametrize("merged", [True, False])
def test_true_boxes_earn_everything_on_the_real_sample(merged: bool) -> None:
    truth = read_true_phrases(SAMPLE, "val")
    assert len(truth) > 0 and all(one.corners for phrases in truth.values() for one in phrases)
    asked_of_all, answers = {}, {}
    for (picture, place), phrases in truth.items():
        words = tuple(one.words for one in phrases)
        asked_of_all[picture, place] = AskedSentence(picture, place, 1000, 1000, words)
        answers[picture, place] = ". ".join(said(one, merged=merged) for one in phrases)
    scores = score_phrases(asked_of_all, answers, truth, merged=merged)
    assert scores.n == sum(map(len, truth.values())) and scores.unscored == 0
    assert scores.value is not None and scores.value > 0.97  # commas within phrases cannot be answered


def said(one: TruePhrase, *, merged: bool) -> str:
    lefts, tops, rights, bottoms = zip(*(one.corners if merged else one.corners[:1]), strict=True)
    return f"{one.words} [{min(lefts) - 1}, {min(tops) - 1}, {max(rights)}, {max(bottoms)}]"
