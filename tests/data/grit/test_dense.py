"""Dense referring and detection: the sentences, their order, names, and what is left out."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.grit.dense import DenseObject, dense_records, raster_order, scene_records
from deixis.data.grit.draws import NumpyDraws, PythonDraws
from deixis.data.grit.source import DenseSource
from deixis.errors import RecordError, UsageError
from deixis.regions.shapes import Box
from tests.data.grit.made import RUNS, scene

TWO = [DenseObject("cup", (30, 30, 45, 44)), DenseObject("dog", (12, 7, 29, 24), RUNS)]


def draws(seed: int = 0) -> PythonDraws:
    return PythonDraws(random.Random(seed))


def test_both_dialogues_speak_of_the_same_objects_from_top_to_bottom() -> None:
    made = dense_records(TWO, width=60, height=44, draws=draws(), id="7", picture="a.png")
    assert made is not None and made.order == (1, 0)
    assert [turn.text for turn in made.referring.turns] == [
        "<image>\nPlease classify the objects in the following locations. 1: <bbox_location0>, "
        "2: <bbox_location1>.",
        "Here are the categories: 1: dog, 2: cup.",
    ]
    assert [turn.text for turn in made.detection.turns] == [
        "<image>\nPlease localize visible objects in the image in a raster scan order.",
        "The objects are: 1: dog <bbox_location0>, 2: cup <bbox_location1>.",
    ]
    assert made.referring.turns[0].places == made.detection.turns[1].places
    assert [place.runs for place in made.referring.turns[0].places] == [RUNS, None]


def test_equal_rows_go_from_left_to_right_and_equal_boxes_keep_their_order() -> None:
    boxes = [(5, 2, 9, 9), (1, 2, 9, 9), (1, 2, 8, 9), (1, 2, 9, 9), (1, 2, 9, 8), (9, 1.99, 10, 10)]
    objects = [DenseObject("x", box) for box in boxes]
    # By the written thousandths: y0, x0, y1, x1.
    assert raster_order(objects, range(6), width=1000, height=1000) == [5, 4, 2, 1, 3, 0]


def test_small_boxes_are_dropped_and_of_many_twenty_are_drawn() -> None:
    many = [DenseObject("x", (n, n, n + 4, n + 4 - (n % 2))) for n in range(50)]
    made = dense_records(many, width=60, height=60, draws=draws())
    again = dense_records(many, width=60, height=60, draws=draws(1))
    assert made is not None and again is not None
    assert len(set(made.order)) == 20 and all(number % 2 == 0 for number in made.order)
    assert made.order != again.order
    assert dense_records(many[1::2], width=60, height=60, draws=draws()) is None
    assert dense_records([], width=60, height=60, draws=draws()) is None


def test_referring_may_be_shuffled_while_detection_stays_in_order() -> None:
    many = [DenseObject(f"thing {n}", (n, n, n + 4, n + 4)) for n in range(9)]
    made = dense_records(many, width=60, height=60, draws=draws(), shuffle_referring=True)
    assert made is not None and made.order == tuple(range(9))
    asked, answered = made.referring.turns
    assert [place.box[0] for place in asked.places] != list(range(9))
    for number, place in enumerate(asked.places, start=1):
        assert f" {number}: thing {place.box[0]:g}" in answered.text


@given(st.lists(st.tuples(*[st.integers(-5, 64)] * 2), min_size=1, max_size=12))
def test_every_order_is_a_permutation_sorted_by_rows(corners: list[tuple[int, int]]) -> None:
    objects = [DenseObject("x", (x, y, x + 5, y + 5)) for x, y in corners]
    order = raster_order(objects, range(len(objects)), width=60, height=60)
    assert sorted(order) == list(range(len(objects)))
    tops = [min(max(objects[n].box[1], 0), 59) for n in order]
    assert tops == sorted(tops)


def test_scenes_become_examples_with_boxes_in_the_picture_frame(tmp_path: Path) -> None:
    source = DenseSource([scene(tmp_path)])
    example = source.example(0, np.random.default_rng(0))
    referring, detection = (dialogue.turns[0] for dialogue in example.dialogues)
    assert referring.answer == "Here are the categories: 1: cup, 2: dog, 3: cup."  # the crumb is too small
    assert all(isinstance(region, Box) for _, region in referring.regions) and len(referring.regions) == 3
    assert [detection.answer[mark.start : mark.end] for mark in detection.marks] == ["cup", "dog", "cup"]
    assert [mark.boxes[0].as_tuple() for mark in detection.marks][1] == (12, 7, 29, 24)
    assert example.picture.frame.size == (60, 44)
    assert DenseSource([scene(tmp_path)], side=32).example(0, np.random.default_rng(0)).picture.width == 32


def test_scenes_without_objects_are_left_out(tmp_path: Path) -> None:
    full = scene(tmp_path)
    empty = type(full)("8", full.picture, 60, 44, things=(), captions=(), expressions=())
    assert scene_records(empty, NumpyDraws(np.random.default_rng(0))) is None
    assert len(DenseSource([empty, full], tasks=["detection"])) == 1
    with pytest.raises(RecordError, match="no scene has a named object"):
        DenseSource([empty])
    with pytest.raises(UsageError, match="expected referring, detection or both"):
        DenseSource([full], tasks=["naming"])
