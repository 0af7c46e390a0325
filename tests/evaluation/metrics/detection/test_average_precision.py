"""Precision and recall against pycocotools on generated boxes; what only LVIS has by hand."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from deixis.errors import RecordError
from deixis.evaluation.metrics.detection.average_precision import (
    EMPTY,
    MOST_BOXES,
    CategoryFound,
    category_curves,
    summary,
)
from deixis.evaluation.metrics.detection.matching import AREA_RANGES, Found, match, overlaps_of

SIDE = st.integers(0, 24).map(lambda step: step * 8.0)
BOX = st.tuples(SIDE, SIDE, SIDE.map(lambda side: side + 8), SIDE.map(lambda side: side + 8))


@st.composite
def pictures(draw: st.DrawFn) -> dict[int, dict[int, Found]]:
    """By category and picture: true boxes, and found ones that lie near them or anywhere."""
    categories: dict[int, dict[int, Found]] = {}
    for category in range(1, draw(st.integers(1, 3)) + 1):
        for picture in range(1, draw(st.integers(1, 3)) + 1):
            true = draw(st.lists(BOX, max_size=4))
            near = [
                tuple(np.add(box, draw(st.tuples(*[st.integers(-6, 6)] * 2, *[st.integers(-4, 9)] * 2))))
                for box in true
            ]
            boxes = draw(st.permutations([*near, *draw(st.lists(BOX, max_size=3))]))
            scores = np.array([draw(st.integers(1, 3)) / 3 for _ in boxes])
            found = Found(np.array(boxes, float), np.array(true, float), scores)
            categories.setdefault(category, {})[picture] = found
    return categories


def by_pycocotools(categories: Mapping[int, Mapping[int, Found]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Precisions (T, 101, K, A) and recalls (T, K, A) of COCO's evaluation with 300 boxes a picture."""
    coco = pytest.importorskip("pycocotools.coco").COCO
    evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval
    true: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    images = sorted({picture for own in categories.values() for picture in own})
    for category, own in categories.items():
        for picture, one in own.items():
            row = {"image_id": picture, "category_id": category}
            for box in one.true.tolist():
                area = box[2] * box[3]
                true.append({**row, "id": len(true) + 1, "bbox": box, "area": area, "iscrowd": 0})
            assert one.scores is not None
            for box, score in zip(one.boxes.tolist(), one.scores.tolist(), strict=True):
                found.append({**row, "bbox": box, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco()
        truth.dataset = {
            "images": [{"id": image} for image in images],
            "categories": [{"id": category} for category in categories],
            "annotations": true,
        }
        truth.createIndex()
        results = coco()
        results.dataset = truth.dataset | {
            "annotations": [
                one | {"id": n + 1, "area": one["bbox"][2] * one["bbox"][3], "iscrowd": 0}
                for n, one in enumerate(found)
            ]
        }
        results.createIndex()
        judge = evaluation(truth, results, "bbox")
        judge.params.maxDets = [MOST_BOXES]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][..., 0], judge.eval["recall"][..., 0]


@settings(deadline=None, max_examples=60)
@given(pictures())
def test_curves_are_those_of_pycocotools(categories: dict[int, dict[int, Found]]) -> None:
    precisions, recalls = by_pycocotools(categories)
    for place, own in enumerate(categories.values()):
        ours = category_curves(own)
        expected = np.where(precisions[:, :, place] < 0, np.nan, precisions[:, :, place])  # (T, 101, A)
        np.testing.assert_allclose(ours.precisions, expected.transpose(2, 0, 1), atol=1e-12)
        expected = np.where(recalls[:, place] < 0, np.nan, recalls[:, place])  # (T, A)
        np.testing.assert_allclose(ours.recalls, expected.T, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.lists(BOX, max_size=5), st.lists(BOX, max_size=5))
def test_overlaps_are_those_of_pycocotools(boxes: list[Any], true: list[Any]) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    if boxes and true:
        expected = mask.iou(np.array(boxes), np.array(true), [0] * len(true))
        np.testing.assert_array_equal(overlaps_of(np.array(boxes), np.array(true)), expected)


def test_the_order_of_pictures_means_nothing() -> None:
    one = Found(np.array([[0, 0, 9, 9.0], [20, 0, 9, 9]]), np.array([[0, 0, 9, 9.0]]))
    other = Found(np.array([[50, 0, 9, 9.0]]), np.array([[0, 0, 9, 9.0]]))
    assert summary([CategoryFound({1: one, 2: other})]) == summary([CategoryFound({2: other, 1: one})])


def test_frequencies_and_what_is_not_known_in_full() -> None:
    right, wrong = np.array([[0, 0, 50, 50.0]]), np.array([[0, 0, 50, 50.0], [90, 90, 40, 40]])
    true = np.array([[0, 0, 50, 50.0]])
    judged = Found(wrong[::-1], true)
    spared = Found(wrong[::-1], true, exhaustive=False)
    table = summary([CategoryFound({1: judged}, "r"), CategoryFound({1: spared}, "c")])
    assert table["APr"] == pytest.approx(0.5) and table["APc"] == pytest.approx(1)
    assert table["APf"] == table["APl"] == table["APs"] == EMPTY and table["ARm@300"] == 1
    assert summary([CategoryFound({1: Found(right, true)})])["APr"] == EMPTY


def test_nothing_found_is_zero_and_nothing_there_is_nothing() -> None:
    none, one = np.empty((0, 4)), np.array([[0, 0, 9, 9.0]])
    assert summary([CategoryFound({1: Found(none, one)})])["AP"] == 0
    assert summary([CategoryFound({1: Found(one, none)})])["AP"] == EMPTY
    assert summary([])["AR@300"] == EMPTY


def test_areas_of_things_may_be_smaller_than_boxes() -> None:
    box = np.array([[0, 0, 40, 40.0]])
    (small, *_) = [area for area in AREA_RANGES if area.name == "small"]
    assert not match(Found(box, box), sizes_counted=small).counted.any()
    assert match(Found(box, box, areas=np.array([900.0])), sizes_counted=small).counted.all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"boxes": np.array([[0, 0, np.nan, 1.0]])}, "no finite numbers"),
        ({"scores": np.ones(2)}, r"scores have shape \(2,\)"),
        ({"areas": np.ones(3)}, r"areas have shape \(3,\)"),
    ],
)
def test_wrong_numbers_are_refused(given: dict[str, Any], message: str) -> None:
    one = np.array([[0, 0, 9, 9.0]])
    with pytest.raises(RecordError, match=message):
        Found(**({"boxes": one, "true": one} | given))


def test_an_unknown_frequency_is_refused() -> None:
    with pytest.raises(RecordError, match="one of r, c and f"):
        summary([CategoryFound({}, "x")])
