from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError
from deixis.evaluation.metrics.referring_expressions import (
    ReferringExpression,
    answered_boxes,
    expressions_of,
    read_expressions,
    score_expressions,
)
from deixis.evaluation.metrics.rules import Overlap
from deixis.files.json_files import Fields


def expression(number: int, *, dataset: str = "refcoco") -> ReferringExpression:
    return ReferringExpression(str(number), "7.jpg", 1000, 500, "the cup, left", dataset, (0, 0, 200, 100))


def image(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": "7.jpg", "width": 640, "height": 480, "caption": "a cup", **more}


def content(images: list[Any], annotations: list[Any]) -> Fields:
    return Fields({"images": images, "annotations": annotations}, "refcoco.json")


def test_the_annotation_file(tmp_path: Path) -> None:
    path = tmp_path / "testA.json"
    annotation = {"image_id": 4, "bbox": [64, 48, 128, 96]}
    path.write_text(json.dumps({"images": [image(4, dataset_name="refcoco+")], "annotations": [annotation]}))
    (one,) = read_expressions(path).values()
    assert one == ReferringExpression("4", "7.jpg", 640, 480, "a cup", "refcoco+", (64, 48, 192, 144))


def test_the_question_has_no_commas() -> None:
    assert expression(1).question == "What is the location of the cup left in the image?"


@pytest.mark.parametrize(
    ("images", "annotations", "message"),
    [
        ([image(1)], [], "image '1' has no annotation"),
        ([image(1), image(1)], [{"image_id": 1, "bbox": [0, 0, 1, 1]}], "a second time"),
        ([image(1)], [{"image_id": 1, "bbox": [0, 0, 1, 1]}] * 2, "has a second box"),
        ([image(1)], [{"image_id": 1, "bbox": [9, 9, 0, 4]}], "0 wide and 4 high"),
        ([image(1)], [{"image_id": 1, "bbox": [9, 9, 4]}], "expected 4 finite numbers"),
        ([{"id": 1}], [{"image_id": 1, "bbox": [0, 0, 1, 1]}], "'file_name' is missing"),
    ],
)
def test_mistakes_in_annotations(images: list[Any], annotations: list[Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        expressions_of(content(images, annotations))


@pytest.mark.parametrize(
    ("text", "published", "corrected"),
    [
        ("cup [0, 0, 200, 200].", ([(0, 0, 200, 100)], False), ([(0, 0, 200, 100)], False)),
        ("cup [0, 0, 201, 333].", ([(0, 0, 201, 166)], False), ([(0, 0, 201, 166.5)], False)),
        ("no box", ([], False), ([], False)),
        ("cup [a, b, c, d]", ([], True), ([], True)),
        ("cup [1, 2]", ([], True), ([], True)),
        ("cup [5, 5, 1, 1]", ([(5, 2, 1, 0)], False), ([], True)),
        ("cup [0, 0, 9, 9999]", ([(0, 0, 9, 4999)], False), ([], True)),
        ("cup [1, 2, 3]. cup [0, 0, 100, 100]", ([], True), ([(0, 0, 100, 50)], True)),
    ],
)
def test_boxes_of_an_answer(text: str, published: Any, corrected: Any) -> None:
    assert answered_boxes(text, width=1000, height=500, protocol="published") == published
    assert answered_boxes(text, width=1000, height=500) == corrected


def test_scores() -> None:
    texts = {
        "1": "cup [0, 0, 200, 200]",
        "2": "cup [500, 500, 600, 600]. cup [0, 0, 200, 200]",
        "3": "cup [0, 0, 200",
        "4": "I see none.",
    }
    expressions = {name: expression(int(name)) for name in reversed(texts)}
    scores = score_expressions(expressions, texts, ks=(1, 2))["refcoco"]
    assert (scores.n, scores.value, scores.upper_bound, scores.mean_box) == (4, 0.25, 0.5, 0.25)
    assert (scores.parse_failures, scores.no_box) == (1, 2)
    assert scores.at == {1: 0.25, 2: 0.5}
    with pytest.raises(RecordError, match="1 of 4 expressions have no answer: 2"):
        score_expressions(expressions, {key: texts[key] for key in "134"})


def test_datasets_are_scored_apart_and_the_threshold_is_a_choice() -> None:
    expressions = {"1": expression(1, dataset="refcoco"), "2": expression(2, dataset="refcocog")}
    half = {"1": "cup [0, 0, 200, 100]", "2": "cup [0, 0, 200, 200]"}
    assert {name: one.value for name, one in score_expressions(expressions, half).items()} == {
        "refcoco": 1.0,
        "refcocog": 1.0,
    }
    strict = score_expressions(expressions, half, overlap=Overlap(inclusive=False))
    assert (strict["refcoco"].value, strict["refcocog"].value) == (0.0, 1.0)
