"""Records as text: draws in their documented order, points of every rule, every way of spelling."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.data.grit.draws import Format, LocationDraws, NumpyDraws, PythonDraws, StatedFormats
from deixis.data.grit.locations import Location, PointRule, choose_locations, gaussian_point
from deixis.data.grit.rendering import INCLUDE_COORDINATES, PROVIDE_BOXES, Spelling, render_record
from deixis.errors import RecordError
from deixis.regions.shapes import Mask
from tests.data.grit.made import DISC, RUNS, record

BOX = [12, 7, 28, 23]
ASKED = record(
    "What is <bbox_location0>?",
    "A dog <bbox_location0>.",
    box_x1y1x2y2=[[BOX], [BOX]],
    masks=[[RUNS], [RUNS]],
)
BARE = record("What is <bbox_location0>?", "A dog <bbox_location0>.", box_x1y1x2y2=[[BOX], [BOX]])


def python(seed: int) -> PythonDraws:
    return PythonDraws(random.Random(seed))


def stated(formats: Sequence[Format] | Format) -> LocationDraws:
    return StatedFormats(python(0), formats)


def texts(
    asked: object = ASKED, *, form: Format = "point", rule: str = "segment_mask|center", **how: object
) -> list[str]:
    found = choose_locations(asked, PointRule.parse(rule), stated(form))  # type: ignore[arg-type]
    rendered = render_record(asked, found, Spelling(**how))  # type: ignore[arg-type]
    return [text for _, text in rendered.turns]


@pytest.mark.parametrize(
    ("how", "form", "expected"),
    [
        ({}, "point", ["What is [333, 340] <region_fea>?", "A dog [200, 159, 466, 522]."]),
        ({}, "box", ["What is [200, 159, 466, 522] <region_fea>?", "A dog [200, 159, 466, 522]."]),
        ({"refer_previous_point": True}, "point", ["What is [333, 340] <region_fea>?", "A dog [333, 340]."]),
        (
            {"refer_previous_point": True},
            "box",
            ["What is [200, 159, 466, 522] <region_fea>?", "A dog [200, 159, 466, 522]."],
        ),
        ({"coordinates": False}, "point", ["What is <region_fea>?", "A dog ."]),
        ({"region_tokens": False}, "box", ["What is [200, 159, 466, 522]?", "A dog [200, 159, 466, 522]."]),
        ({"coordinates": False, "region_tokens": False}, "box", ["What is ?", "A dog ."]),
    ],
)
def test_locations_are_spelt_as_asked(how: dict[str, bool], form: Format, expected: list[str]) -> None:
    assert texts(form=form, **how) == expected


@pytest.mark.parametrize(("seed", "point"), [(1, "[262, 345]"), (2, "[541, 487]"), (3, "[399, 397]")])
def test_python_draws_replay_the_original_order(seed: int, point: str) -> None:
    """Numbers of the original data loader: the format, then x, then y of a gaussian point."""
    box = [[[2, 3, 25, 40]], []]
    asked = record("Is there <bbox_location0>?", "No.", image_w=30, image_h=50, box_x1y1x2y2=box)
    rendered = render_record(asked, choose_locations(asked, PointRule(), python(seed)))
    assert rendered.turns[0][1] == f"Is there {point} <region_fea>?"


def test_looking_at_a_mask_moves_the_next_draw() -> None:
    """197 and 245 pixels were drawn from before the second question got its format."""
    asked = record("<bbox_location0>", "A", "<bbox_location0>", "B", box_x1y1x2y2=[[BOX], [], [BOX], []])
    masked = record(
        "<bbox_location0>",
        "A",
        "<bbox_location0>",
        "B",
        box_x1y1x2y2=[[BOX], [], [BOX], []],
        masks=[[RUNS], [], [RUNS], []],
    )
    kinds = []
    for seed in range(8):
        for one in (asked, masked):
            found = choose_locations(one, PointRule.parse("segment_mask|center"), python(seed))
            kinds.append([turn[0].point is not None for turn in found if turn])
    assert any(kinds[n][0] and kinds[n] != kinds[n + 1] for n in range(0, 16, 2))
    only = python(5)
    assert only.format() == "box" and StatedFormats(python(5), "point").format() == "point"


def test_formats_are_drawn_for_questions_with_boxes_only() -> None:
    box = [[1, 2, 3, 4]]
    asked = record("No box.", "A", "<bbox_location0>", "B <bbox_location0>", box_x1y1x2y2=[[], [], box, box])
    (point,) = choose_locations(asked, PointRule("center", on_mask=False), stated(["point"]))[2]
    assert point.point == (2, 3)


@pytest.mark.parametrize(
    ("rule", "asked", "inside"),
    [
        ("segment_mask|uniform", ASKED, "mask"),
        ("segment_mask-gaussian", ASKED, "mask"),
        ("segment_mask|center", ASKED, "centre"),
        ("center", ASKED, "centre"),
        ("center", BARE, "centre"),
        ("gaussian", ASKED, "box"),
        ("segment_mask|center", BARE, "box"),
        ("segment_mask|uniform", BARE, "box"),
    ],
)
def test_points_lie_where_their_rule_says(rule: str, asked: object, inside: str) -> None:
    places = set()
    for seed in range(30):
        draws = StatedFormats(NumpyDraws(np.random.default_rng(seed)), "point")
        ((location,), _) = choose_locations(asked, PointRule.parse(rule), draws)  # type: ignore[arg-type]
        assert location.point is not None
        x, y = location.point
        assert BOX[0] <= x <= BOX[2] and BOX[1] <= y <= BOX[3]
        assert inside != "mask" or DISC[int(y), int(x)]
        places.add((x, y))
    assert places == {(20, 15)} if inside == "centre" else len(places) > 10


@given(st.integers(0, 10_000), st.floats(0, 50), st.floats(0, 40), st.floats(0, 9), st.floats(0, 9))
@settings(max_examples=50)
def test_gaussian_points_stay_in_their_box(seed: int, x: float, y: float, wide: float, high: float) -> None:
    box = (x, y, x + wide, y + high)
    drawn = gaussian_point(box, python(seed))
    assert box[0] <= drawn[0] <= box[2] and box[1] <= drawn[1] <= box[3]


def test_the_nearest_pixel_of_a_mask_without_its_centre_is_taken() -> None:
    ring = DISC & (np.hypot(*np.mgrid[-15:29, -20:40].astype(float)) >= 5)
    asked = record(
        "<bbox_location0>", "A", box_x1y1x2y2=[[BOX], []], masks=[[Mask.from_array(ring).to_coco()], []]
    )
    ((location,), _) = choose_locations(asked, PointRule(), stated("point"))
    assert location.point is not None
    assert np.hypot(location.point[0] - 20, location.point[1] - 15) == 5


@pytest.mark.parametrize("text", ["uniform", "segment_mask|edge", "middle", "segment_mask", ""])
def test_unknown_point_rules_are_refused(text: str) -> None:
    with pytest.raises(RecordError, match="expected"):
        PointRule.parse(text)


def test_boxes_are_moved_into_the_picture_before_anything_else() -> None:
    asked = record("<bbox_location0>", "A", box_x1y1x2y2=[[[-3, 5, 99, 43.9]], []])
    assert texts(asked, form="box") == ["[0, 113, 983, 977] <region_fea>", "A"]
    ((location,), _) = choose_locations(asked, PointRule("center", on_mask=False), stated("point"))
    assert location.point == (29.5, 24)


def test_a_place_spoken_of_twice_gets_two_tokens_and_two_regions_in_order() -> None:
    boxes = [[[1, 2, 3, 4], [5, 6, 7, 8]], []]
    asked = record("<bbox_location1>, <bbox_location0> or <bbox_location1>?", "A", box_x1y1x2y2=boxes)
    rendered = render_record(asked, choose_locations(asked, PointRule(), stated("box")))
    assert [region.box[0] for region in rendered.regions] == [5, 1, 5]
    assert rendered.turns[0][1].count("<region_fea>") == 3


def test_the_picture_moves_to_the_front() -> None:
    asked = record("What is it?\n<image>", "It is a dog.")
    assert texts(asked) == ["<image>\nWhat is it?", "It is a dog."]


@pytest.mark.parametrize("request_text", [PROVIDE_BOXES, INCLUDE_COORDINATES])
def test_grounded_kinds_ask_for_boxes_in_the_first_question_only(request_text: str) -> None:
    turns = ("Where? <image>", "There.", "And where?", "There.")
    assert texts(record(*turns, dataset="refexp"), request=request_text)[::2] == [
        f"<image>\nWhere? {request_text}",
        "And where?",
    ]
    assert texts(record(*turns, dataset="vg_object"), request=request_text)[0] == "<image>\nWhere?"


def test_a_point_is_seen_where_the_original_put_it() -> None:
    """On the scale of thousandths and back, 15 of 44 becomes a hair less; its window begins a row earlier."""
    x, y = Location((0, 0, 59, 43), point=(20, 15)).seen(width=60, height=44)
    assert x == 20 and 14.9 < y < 15
    assert Location((1.9, 2, 3, 4)).seen(width=60, height=44) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ({"size": [2, 2], "counts": [1, 3]}, "mask has 2 x 2 pixels; expected those of the picture, 60 x 44"),
        ({"size": [44, 60], "counts": [1, 3]}, "mask runs add up to 4"),
        ({"size": [44, 60], "counts": "~~~"}, "is not a compressed COCO mask"),
    ],
)
def test_broken_masks_are_refused(runs: dict[str, object], message: str) -> None:
    asked = record("<bbox_location0>", "A", box_x1y1x2y2=[[BOX], []], masks=[[runs], []])
    with pytest.raises(RecordError, match=message):
        choose_locations(asked, PointRule(), stated("box"))


def test_an_empty_mask_is_none() -> None:
    runs = {"size": [44, 60], "counts": [44 * 60]}
    asked = record("<bbox_location0>", "A", box_x1y1x2y2=[[BOX], []], masks=[[runs], []])
    ((location,), _) = choose_locations(asked, PointRule(), stated("box"))
    assert location.segment is None


def test_inverted_boxes_are_refused() -> None:
    with pytest.raises(RecordError, match="x1 < x0 or y1 < y0"):
        texts(record("<bbox_location0>", "A", box_x1y1x2y2=[[[30, 5, 10, 9]], []]))


def test_the_same_generator_draws_the_same() -> None:
    def drawn(seed: int) -> object:
        return choose_locations(BARE, PointRule(), NumpyDraws(np.random.default_rng(seed)))

    assert drawn(3) == drawn(3)
    assert len({str(drawn(seed)) for seed in range(12)}) > 4
