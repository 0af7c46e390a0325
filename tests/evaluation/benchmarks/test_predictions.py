from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.predictions import paired, read_predictions


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_several_files_in_any_order_are_one_run(tmp_path: Path) -> None:
    late = lines(tmp_path / "10_of_16.jsonl", {"question_id": 3, "answer": "c"})
    early = lines(
        tmp_path / "2_of_16.jsonl", {"question_id": "1", "text": "a"}, {"question_id": 2, "text": "b"}
    )
    answers = read_predictions([late, early], key="question_id")
    assert answers == {"1": "a", "2": "b", "3": "c"}
    questions = {"1": "first", "2": "second", "3": "third"}
    assert paired(questions, answers, of="questions") == [("first", "a"), ("second", "b"), ("third", "c")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": 1, "text": "a"}, {"id": "1", "text": "b"}], "already an answer to id '1'"),
        ([{"text": "a"}], "'id' is missing"),
        ([{"id": 1}], "'text' is missing"),
        ([{"id": 1, "text": None}], "'text' is None"),
        ([{"id": True, "text": "a"}], "'id' is True"),
        ([[1]], "expected an object"),
    ],
)
def test_mistakes_in_files(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_predictions([lines(tmp_path / "run.jsonl", *rows)], key="id")


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({1: "a"}, r"2 of 3 pictures have no answer: 2, 3"),
        ({1: "a", 2: "b", 3: "c", 9: "d"}, r"1 of 3 pictures were never asked about: 9"),
    ],
)
def test_a_part_of_a_run_is_no_run(answers: dict[int, str], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        paired({1: "x", 2: "y", 3: "z"}, answers, of="pictures")
