"""Answers for COCO tools and for supervision."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings

from deixis.answers import Answer, Span, to_coco_results, to_supervision
from deixis.errors import UsageError
from deixis.regions.shapes import Mask
from tests.answers.made import HEIGHT, WIDTH, answer, answers, disc, place

CATEGORIES = {"dog": 18, "cat": 17}


def test_a_coco_result_for_each_place() -> None:
    with_mask, without = to_coco_results(answer(), image_id=4, category_ids=CATEGORIES)
    assert Mask.from_coco(with_mask.pop("segmentation")).runs == disc().runs
    assert with_mask == {"image_id": 4, "category_id": 18, "bbox": [10.0, 20.0, 40.0, 40.0], "score": 0.75}
    assert without == {"image_id": 4, "category_id": 18, "bbox": [60.5, 1.0, 99.5, 89.0], "score": 0.5}


def test_one_category_for_all() -> None:
    assert {result["category_id"] for result in to_coco_results(answer(), image_id=1, category_ids=1)} == {1}


def test_categories_are_found_by_the_phrase_or_its_small_letters() -> None:
    made = answer(text="Dog.", spans=(Span(0, 3, "Dog", (place(),)),))
    assert to_coco_results(made, image_id=1, category_ids=CATEGORIES)[0]["category_id"] == 18
    assert to_coco_results(made, image_id=1, category_ids={"Dog": 1, "dog": 2})[0]["category_id"] == 1


def test_a_phrase_without_category_is_an_error() -> None:
    with pytest.raises(UsageError, match="phrase 'dog' has no COCO category; category_ids has: 'cat'"):
        to_coco_results(answer(), image_id=1, category_ids={"cat": 17})


def test_edges_are_rounded_not_widths() -> None:
    made = answer(spans=(Span(2, 5, "dog", (place(0.006, 0.004, 1.004, 2.006),)),))
    assert to_coco_results(made, image_id=1, category_ids=1)[0]["bbox"] == [0.01, 0.0, 0.99, 2.01]


@settings(max_examples=40, deadline=None)
@given(answers())
def test_results_stay_in_the_picture(made: Answer) -> None:
    results = to_coco_results(made, image_id=1, category_ids=1)
    assert len(results) == sum(len(span.places) for span in made.spans)
    for result in results:
        x, y, width, height = result["bbox"]
        assert min(x, y, width, height) >= 0
        assert x + width <= WIDTH + 1e-9 and y + height <= HEIGHT + 1e-9


def test_supervision_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(UsageError, match=r"install it: pip install 'deixis\[supervision\]'"):
        to_supervision(answer())


def test_detections_of_an_answer() -> None:
    pytest.importorskip("supervision")
    found = to_supervision(answer())
    assert found.xyxy.tolist() == [[10, 20, 50, 60], [60.5, 1, 160, 90]]
    assert found.confidence is not None and found.confidence.tolist() == [0.75, 0.5]
    assert found.class_id is not None and found.class_id.tolist() == [0, 0]
    assert found.data["class_name"].tolist() == ["dog", "dog"]
    assert found.mask is None  # one of the two places has none


def test_detections_have_masks_if_all_places_do() -> None:
    pytest.importorskip("supervision")
    made = answer(
        spans=(Span(2, 5, "dog", (place(mask=disc()),)), Span(15, 18, "cat", (place(mask=disc()),)))
    )
    found = to_supervision(made)
    assert np.array_equal(found.mask, np.stack([disc().rasterise()] * 2))
    assert found.class_id is not None and found.class_id.tolist() == [0, 1]


def test_an_answer_without_places_has_no_detections() -> None:
    pytest.importorskip("supervision")
    found = to_supervision(answer(spans=()))
    assert len(found) == 0 and found.xyxy.shape == (0, 4)
