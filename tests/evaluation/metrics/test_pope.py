from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.errors import RecordError
from deixis.evaluation.metrics.pope import PopeScores, YesNo, read_pope, read_yes_or_no, score_pope


@pytest.mark.parametrize(
    ("text", "published", "corrected"),
    [
        ("yes, there is a dog [1, 2, 3, 4] in the image.", "yes", "yes"),
        ("No, there is no dog.", "no", "no"),
        ("there is not a cat in the image.", "no", "no"),
        ("There isn't a cat.", "yes", "no"),
        ("Not at all", "yes", "no"),
        ("yes, it is not hidden", "no", "yes"),
        ("there is a dog. no cat.", "yes", "yes"),
        ("There are two dogs", "yes", "yes"),
        ("A notebook", "yes", None),
        ("nothing here", "yes", None),
        ("yesterday", "yes", None),
        ("", "yes", None),
    ],
)
def test_reading_an_answer(text: str, published: str, corrected: str | None) -> None:
    assert read_yes_or_no(text, protocol="published") == published
    assert read_yes_or_no(text) == corrected


def test_scores_pair_by_id_and_count_failures_apart() -> None:
    labels: dict[str, YesNo] = {"a": "yes", "b": "no", "c": "yes", "d": "no"}
    answers = {"d": "Yes.", "c": "perhaps", "b": "no", "a": "yes"}
    scores = score_pope(labels, answers)
    assert scores == PopeScores(4, 0.5, 0.5, 0.5, 0.5, 0.5, parse_failures=1)
    assert score_pope(labels, answers, protocol="published").recall == 1.0
    with pytest.raises(RecordError, match="1 of 4 questions have no answer"):
        score_pope(labels, {key: answers[key] for key in "abc"})


@pytest.mark.parametrize(
    ("labels", "answers", "expected"),
    [
        ([], [], PopeScores(0, None, None, None, None, None, 0)),
        (["yes", "no"], ["no", "no"], PopeScores(2, 0.5, None, 0.0, None, 0.0, 0)),
        (["no", "no"], ["yes", "no"], PopeScores(2, 0.5, 0.0, None, None, 0.5, 0)),
        (["yes", "no"], ["no", "yes"], PopeScores(2, 0.0, 0.0, 0.0, 0.0, 0.5, 0)),
    ],
)
def test_shares_of_nothing(labels: list[YesNo], answers: list[str], expected: PopeScores) -> None:
    assert score_pope(dict(enumerate(labels)), dict(enumerate(answers))) == expected


def test_the_file_of_questions(tmp_path: Path) -> None:
    row = {"question_id": 1, "image": "7.jpg", "text": "Is there a dog in the image?", "label": "no"}
    path = tmp_path / "pope.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert read_pope(path) == {"1": ("7.jpg", "Is there a dog in the image?", "no")}
    path.write_text(json.dumps(row) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(RecordError, match="a second time"):
        read_pope(path)
    path.write_text(json.dumps({**row, "label": "No"}) + "\n")
    with pytest.raises(RecordError, match="'label' is 'No'"):
        read_pope(path)
