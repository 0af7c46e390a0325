"""Questions: their pictures as a tuple, which picture each region is in, what was said about which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.answers.grounded import Answer
from deixis.errors import BadPicture, BadRegion, FrameMismatch, RegionClipped, UsageError
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import THOUSANDTHS, Frame
from deixis.regions.shapes import Box, Mask, Point, Region
from deixis.systems.questions import MOST_PICTURES, Question, checked_question, opened, regions_of_each


def picture(shade: int, *, width: int = 40, height: int = 30) -> Picture:
    return open_picture(np.full((height, width, 3), shade, np.uint8))


DARK, LIGHT, WIDE = picture(10), picture(200), picture(10, width=80)


def said(*pictures: Picture) -> Answer:
    return Answer("a dog.", (), pictures, system="any", seconds=0.0, question="what?")


# Pictures.


def test_a_question_has_none_one_or_several_pictures(tmp_path: Path) -> None:
    assert opened(None) == ()
    assert opened(DARK) == (DARK,) and opened([DARK]) == (DARK,)
    assert opened([DARK, LIGHT]) == opened((DARK, LIGHT)) == (DARK, LIGHT)
    file = tmp_path / "dark.png"
    DARK.image().save(file)
    mixed = opened([file, DARK.pixels, DARK.image(), str(file)])
    assert len(mixed) == 4 and {one.frame for one in mixed} == {DARK.frame}


@pytest.mark.parametrize("empty", [[], ()])
def test_an_empty_list_of_pictures_is_a_mistake(empty: Any) -> None:
    with pytest.raises(BadPicture, match="list of pictures is empty; give one or more, or None"):
        opened(empty)


def test_too_many_pictures() -> None:
    assert len(opened([DARK] * MOST_PICTURES)) == MOST_PICTURES
    with pytest.raises(BadPicture, match="17 pictures were given; at most 16 are taken"):
        opened([DARK] * (MOST_PICTURES + 1))


def test_a_picture_made_of_another_one_is_refused() -> None:
    part = Picture(DARK.pixels[:10, :10], DARK.frame.cropped(0, 0, 10, 10))
    with pytest.raises(UsageError, match=r"made of another one.*open_picture\(picture.pixels\)"):
        opened([LIGHT, part])
    assert opened(open_picture(part.pixels))


# Regions.


def test_regions_are_clipped_in_the_order_they_are_spoken_of() -> None:
    given: dict[str, Region] = {"b": Point(1, 2), "a": Box(100, 100, 500, 500, frame=THOUSANDTHS)}
    question = checked_question(" is {a} {b} or {a}? ", given, DARK)
    assert question.text == "is {a} {b} or {a}?" and question.pictures == (DARK,)
    assert question.regions == (
        ("a", Box(4, 3, 20, 15, frame=DARK.frame)),
        ("b", Point(1, 2, frame=DARK.frame)),
    )
    with pytest.warns(RegionClipped):
        (only,) = checked_question("{it}", {"it": Box(30, 20, 90, 90)}, DARK).regions
    assert only[1] == Box(30, 20, 40, 30, frame=DARK.frame)


@pytest.mark.parametrize(("where", "other"), [(DARK, LIGHT), (LIGHT, DARK), (WIDE, DARK)])
def test_a_region_that_is_bound_is_in_that_picture(where: Picture, other: Picture) -> None:
    for pictures in ((where, other), (other, where), (LIGHT, WIDE, DARK)):
        region = Point(5, 6).bind(where.frame)
        ((_, found),) = checked_question("{it}", {"it": region}, pictures).regions
        assert found.frame == where.frame, "pictures of one size are told apart by their content"


def test_a_region_that_is_not_bound_could_be_in_any_of_several_pictures() -> None:
    message = r"\{it\} doesn't say which of the 2 pictures it is in; .* it=region.bind\(picture.frame\)"
    with pytest.raises(BadRegion, match=message):
        checked_question("what is {it}?", {"it": Point(5, 6)}, (DARK, LIGHT))
    assert checked_question("what is {it}?", {"it": Point(5, 6)}, (DARK,)).regions[0][1].frame == DARK.frame


def test_a_region_in_none_of_the_pictures() -> None:
    with pytest.raises(FrameMismatch, match=r"\{it\} is in none of the 2 pictures of this question"):
        checked_question("what is {it}?", {"it": Point(5, 6).bind(WIDE.frame)}, (DARK, LIGHT))
    with pytest.raises(FrameMismatch):
        checked_question("what is {it}?", {"it": Point(5, 6).bind(LIGHT.frame)}, DARK)


def test_a_region_needs_a_picture() -> None:
    with pytest.raises(BadRegion, match=r"\{it\} points at a picture, but the question is about none"):
        checked_question("what is {it}?", {"it": Point(5, 6)}, ())
    assert checked_question("what is a dog?", {}, ()).pictures == ()


def test_a_region_of_a_view_of_one_of_the_pictures_is_brought_back() -> None:
    view = LIGHT.frame.resized(20, 15)
    ((_, found),) = checked_question("{it}", {"it": Point(5, 6, frame=view)}, (DARK, LIGHT)).regions
    assert found == Point(10, 12, frame=LIGHT.frame)


def test_a_frame_without_a_digest_fits_any_picture_of_its_size() -> None:
    region = Point(5, 6, frame=Frame.original(80, 30))
    ((_, found),) = checked_question("{it}", {"it": region}, (DARK, WIDE)).regions
    assert found.frame.size == (80, 30)
    assert checked_question("{it}", {"it": region}, WIDE).regions


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("", {}, "a question needs words"),
        ("what is {it}?", {}, r"speaks of \{it\}, but the regions given are: none"),
        ("what?", {"it": Point(1, 1)}, "region 'it' is not used"),
        ("{it}", {"it": (1, 1, 1)}, r"it=\(1, 1, 1\) is not a region"),
        ("a" * 4001, {}, "4001 characters; at most 4000"),
    ],
)
def test_what_no_question_is(text: str, given: dict[str, Any], message: str) -> None:
    for pictures in (DARK, (DARK, LIGHT)):
        with pytest.raises(UsageError, match=message):
            checked_question(text, given, pictures)


def test_each_question_has_its_own_regions_and_those_shared_that_it_speaks_of() -> None:
    a, b, c = Point(1, 1), Point(2, 2), Point(3, 3)
    texts = ["{a} or {b}?", "{b}?", "what?"]
    assert regions_of_each(texts, {"a": a}, {"b": b}) == [{"a": a, "b": b}, {"b": b}, {}]
    assert regions_of_each(texts, [{"a": a, "b": c}, None, {}], {"b": b}) == [{"a": a, "b": c}, {"b": b}, {}]
    with pytest.raises(
        UsageError, match=r"region 'c' is not used; write \{c\} where a question speaks of it"
    ):
        regions_of_each(texts, {"a": a, "b": b}, {"c": c})
    with pytest.raises(UsageError, match="3 questions came with 1 mappings of regions; expected one each"):
        regions_of_each(texts, [{"a": a}], {})


# What was said before.


def test_earlier_answers_are_about_pictures_of_this_question() -> None:
    before = [said(DARK), said(), said(LIGHT, DARK)]
    assert checked_question("and?", {}, (LIGHT, DARK), before=before).before == tuple(before)
    for pictures in ((DARK,), (), (DARK, WIDE)):
        with pytest.raises(FrameMismatch, match=r"an earlier answer is about .* different pictures"):
            checked_question("and?", {}, pictures, before=[said(DARK), said(LIGHT)])


def test_an_earlier_answer_about_another_picture_of_the_same_size_is_refused() -> None:
    with pytest.raises(FrameMismatch, match=r"different pictures.*ask\(\[one, other\], \.\.\.\)"):
        checked_question("and?", {}, LIGHT, before=[said(DARK)])
    same = open_picture(DARK.pixels.copy())
    assert checked_question("and?", {}, same, before=[said(DARK)]).before


def test_an_answer_that_came_as_json_is_known_by_its_digest() -> None:
    sent = Answer.from_json(said(DARK).to_json())
    assert checked_question("and?", {}, DARK, before=[sent]).before == (sent,)
    with pytest.raises(FrameMismatch):
        checked_question("and?", {}, LIGHT, before=[sent])


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        ([], [[0, 1, 2]]),
        ([(DARK,)], [[0], [1, 2]]),
        ([(), (LIGHT,), (LIGHT, DARK)], [[], [1], [0], [2]]),
        ([(WIDE, DARK), (LIGHT,)], [[0, 2], [1], []]),
        ([(DARK,), (DARK,)], [[0], [], [1, 2]]),
    ],
)
def test_a_picture_is_shown_with_the_first_question_about_it(
    before: list[tuple[Picture, ...]], shown: list[list[int]]
) -> None:
    question = Question("and?", (), tuple(said(*own) for own in before), (DARK, LIGHT, WIDE))
    assert question.shown() == shown


# Braces.


def test_doubled_braces_point_at_nothing() -> None:
    text = 'Answer {{"bbox_2d": []}} for {it}.'
    question = checked_question(text, {"it": Point(3, 4)}, DARK)
    assert question.text == text and [name for name, _ in question.regions] == ["it"]
    assert regions_of_each([text], None, {"it": Point(3, 4)}) == [{"it": Point(3, 4)}]


@pytest.mark.parametrize("text", ['Answer as {"bbox_2d": [1, 2]}.', 'Say {"a": {"b": 1}}.', "What is {}?"])
def test_braces_that_are_not_doubled_say_how_to_double_them(text: str) -> None:
    with pytest.raises(UsageError, match=r"To write braces themselves, double them: \{\{"):
        checked_question(text, {}, DARK)


# Regions as plain values.


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ((1, 2, 30, 20), Box(1, 2, 30, 20)),
        ([1, 2, 30.5, 20], Box(1, 2, 30.5, 20)),
        (np.array([1, 2, 30, 20], np.int64), Box(1, 2, 30, 20)),
        ((3, 4), Point(3, 4)),
        (
            np.pad(np.ones((4, 5), bool), ((0, 26), (0, 35))),
            Mask.from_array(np.pad(np.ones((4, 5)), ((0, 26), (0, 35)))),
        ),
    ],
)
def test_plain_values_are_regions_in_pixels(value: Any, region: Region) -> None:
    asked = checked_question("what is {it}?", {"it": value}, DARK)
    assert asked == checked_question("what is {it}?", {"it": region}, DARK)


@pytest.mark.parametrize(
    "value", [(1, 2, 3), "10,20,30,40", (1, 2, "3", 4), (True, False), np.ones((30, 40)), None, 7, {}]
)
def test_what_is_no_region_says_what_is(value: Any) -> None:
    with pytest.raises(UsageError, match=r"it=.* is not a region; .*four numbers .*array of booleans"):
        checked_question("what is {it}?", {"it": value}, DARK)


def test_a_mask_of_another_size_and_a_box_that_is_none_are_bad_regions() -> None:
    for value in (np.ones((3, 3), bool), (30, 2, 10, 20), (900, 900)):
        with pytest.raises(BadRegion):
            checked_question("what is {it}?", {"it": value}, DARK)
