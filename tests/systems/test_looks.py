"""What the places of an answer were chosen from."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import deixis
from deixis.errors import UsageError
from deixis.systems.contract import System
from deixis.systems.looks import Look


@pytest.fixture(scope="module")
def pointer() -> System:
    return deixis.load()


def look(pointer: System) -> Look:
    (found,) = pointer.looks(data.coffee(), "Where is the cup?")
    return found


def test_the_map_adds_up_with_nowhere_and_lies_where_the_place_is(pointer: System) -> None:
    found = look(pointer)
    assert found.map is not None and found.phrase == "The cup"
    assert float(found.map.sum()) + found.nowhere == pytest.approx(1, abs=1e-4)
    x0, y0, x1, y1 = found.corners
    row, column = np.unravel_index(found.map.argmax(), found.map.shape)
    x = x0 + (column + 0.5) * (x1 - x0) / found.map.shape[1]
    y = y0 + (row + 0.5) * (y1 - y0) / found.map.shape[0]
    box = pointer.ask(data.coffee(), "Where is the cup?").spans[0].places[0].box
    assert box.x0 < x < box.x1 and box.y0 < y < box.y1


def test_the_grid_is_larger_than_a_picture_that_was_padded(pointer: System) -> None:
    assert look(pointer).corners == pytest.approx((0, -100, 600, 500), abs=2)


def test_an_answer_without_places_has_no_looks(pointer: System) -> None:
    assert pointer.looks(data.coffee(), "What is {a}?", regions={"a": deixis.Box(150, 25, 450, 345)}) == []


def test_looking_changes_no_answer(pointer: System) -> None:
    before = pointer.ask(data.chelsea(), "Where is the cat?")
    pointer.looks(data.chelsea(), "Where is the cat?")
    after = pointer.ask(data.chelsea(), "Where is the cat?")
    assert after.text == before.text
    boxes = [answer.spans[0].places[0].box.as_tuple() for answer in (before, after)]
    assert boxes[1] == pytest.approx(boxes[0], abs=1e-3)  # a known prefix rounds otherwise


def test_a_system_that_cannot_say_refuses(pointer: System) -> None:
    assert System.looked_at is None
    with pytest.raises(UsageError, match="chosen from"):
        System.looks(pointer, data.coffee(), "Where is the cup?")
