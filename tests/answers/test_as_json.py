"""Answers as JSON and back, and the schema that says how."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from deixis.answers import Answer, Place, Span, answer_schema
from deixis.errors import FrameMismatch, MalformedAnswer
from deixis.pictures.opening import open_picture
from deixis.regions.frames import UNIT
from deixis.regions.shapes import Box, Point, Polygon, Region, Scribble
from tests.answers.made import FRAME, answer, answers, disc, picture

VALIDATOR = jsonschema.Draft202012Validator(answer_schema())


def test_the_schema_is_one() -> None:
    schema = answer_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "changed"
    assert answer_schema()["title"] != "changed"


def test_the_plain_values_of_an_answer() -> None:
    content = json.loads(answer().to_json())
    counts = content["spans"][0]["places"][0]["mask"].pop("counts")
    assert isinstance(counts, str)
    assert content == {
        "text": "A dog, but no  cat.",
        "nowhere": False,
        "nowhere_score": 0.125,
        "spans": [
            {
                "start": 2,
                "end": 5,
                "phrase": "dog",
                "nowhere": False,
                "nowhere_score": 0.125,
                "places": [
                    {"box": [10, 20, 50, 60], "score": 0.75, "mask": {"size": [90, 160]}},
                    {"box": [60.5, 1, 160, 90], "score": 0.5},
                ],
            },
            {"start": 15, "end": 18, "phrase": "cat", "nowhere": True, "nowhere_score": 0.9, "places": []},
        ],
        "picture": {"width": 160, "height": 90, "digest": picture().frame.content},
        "finish": "stop",
        "question": "",
        "regions": {},
        "system": "made up",
        "seconds": 0.25,
    }


def test_parse_failures_are_there_only_if_there_are_some() -> None:
    assert "parse_failures" not in answer().to_dict()
    assert answer(parse_failures=("cut",)).to_dict()["parse_failures"] == ["cut"]


@settings(max_examples=60, deadline=None)
@given(answers())
def test_any_answer_fits_the_schema_and_comes_back(made: Answer) -> None:
    text = made.to_json()
    VALIDATOR.validate(json.loads(text))
    assert text.isascii() and len(text.splitlines()) == 1
    assert Answer.from_json(text) == made
    assert Answer.from_json(text, made.picture).to_json() == text


def test_the_picture_is_the_given_one_or_grey() -> None:
    text = answer().to_json()
    given_picture = picture()
    assert Answer.from_json(text, given_picture).picture is given_picture
    grey = Answer.from_json(text).picture
    assert (grey.width, grey.height, set(grey.pixels.ravel().tolist())) == (160, 90, {128})
    assert Answer.from_json(text.encode()).draw().size == answer().draw().size


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(FrameMismatch, match=r"about a picture of 160 x 90; the one given is pixels 90x160"):
        Answer.from_json(answer().to_json(), picture(90, 160))


def test_a_huge_stand_in_takes_no_memory() -> None:
    content = {**answer(spans=()).to_dict(), "picture": {"width": 30_000, "height": 30_000}}
    assert Answer.from_json(json.dumps(content)).picture.pixels.strides == (0, 0, 0)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", "3", '"text"', "[" * 100_000, '{"text": NaN}', b"\xff\xfe\x00", "{}"]
)
def test_text_that_is_no_answer_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedAnswer, match=r"^(an answer is one JSON object|the answer )"):
        Answer.from_json(text)


def at(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one entry."""

    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


def without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """A change that takes one entry out."""

    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        del content[path[-1]]

    return change


FIRST = ("spans", 0, "places", 0)
BROKEN = [
    (without("text"), "missing: text"),
    (without("nowhere_score"), "missing: nowhere_score"),
    (without("spans", 0, "phrase"), "missing: phrase"),
    (without("spans", 0, "nowhere_score"), "missing: nowhere_score"),
    (without(*FIRST, "score"), "missing: score"),
    (without(*FIRST, "mask", "size"), "missing: size"),
    (without("picture", "width"), "missing: width"),
    (at("colour", value="red"), "unknown: colour"),
    (at("spans", 0, "colour", value="red"), "unknown: colour"),
    (at("text", value=7), "text is a string; got 7"),
    (at("text", value="A cat, but no  cat."), "should read 'dog'; the text reads 'cat'"),
    (at("system", value=None), "system is a string"),
    (at("seconds", value="1"), "seconds is a finite number; got '1'"),
    (at("seconds", value=-1), "expected 0 or more"),
    (at("seconds", value=True), "seconds is a finite number; got True"),
    (at("seconds", value=10**400), "seconds is a finite number"),
    (at("spans", value={}), "spans is a list"),
    (at("spans", 0, value=[]), "a span is an object with start"),
    (at("spans", 0, "start", value=2.0), "start is a whole number; got 2.0"),
    (at("spans", 0, "start", value="2"), "start is a whole number; got '2'"),
    (at("spans", 0, "start", value=3), "should read 'dog'"),
    (at("spans", 0, "end", value=99), "leaves the text"),
    (at("spans", 0, "nowhere", value="false"), "nowhere is true or false; got 'false'"),
    (at("spans", 0, "nowhere", value=True), "is said to be nowhere, but has 2 places"),
    (at("spans", 0, "nowhere_score", value=1.5), "nowhere_score of 'dog' is 1.5"),
    (at("spans", 0, "nowhere_score", value=10**400), "expected a number from 0 to 1"),
    (at("spans", 1, "nowhere_score", value=None), "expected a nowhere_score"),
    (at(*FIRST, value=3), "a place is an object with box, score"),
    (at(*FIRST, "box", value=[1, 2, 3]), "got 3 numbers"),
    (at(*FIRST, "box", value=[1, 2, 3, 4, 5]), "got 5 numbers"),
    (at(*FIRST, "box", value="1234"), "box is a list"),
    (at(*FIRST, "box", 0, value="1"), "an edge of a box is a finite number; got '1'"),
    (at(*FIRST, "box", 0, value=1e999), "is not a number"),
    (at(*FIRST, "box", 0, value=90), "not usable: box .90, 20, 50, 60. needs x0 < x1"),
    (at(*FIRST, "box", 0, value=-3), "sticks out of the picture"),
    (at(*FIRST, "score", value="0.5"), "score of a place is '0.5'"),
    (at(*FIRST, "score", value=2), "score of a place is 2"),
    (at(*FIRST, "score", value=0.2), "sorted best first"),
    (at(*FIRST, "mask", value=None), "a mask is an object with size, counts"),
    (at(*FIRST, "mask", "counts", value="~"), "not a compressed COCO mask"),
    (at(*FIRST, "mask", "counts", value="PPP"), "ends in the middle of a run"),
    (at(*FIRST, "mask", "counts", value=[3, 4]), "counts is a string"),
    (at(*FIRST, "mask", "size", value=[9, 9]), "mask runs add up to 14400, expected 9 x 9"),
    (at(*FIRST, "mask", "size", value=[160, 90]), "the mask has 90 x 160 pixels, its frame is"),
    (at(*FIRST, "mask", "size", value=[10**9, 10**9]), "is not usable"),
    (at("picture", value=[160, 90]), "picture is an object with width, height"),
    (at("picture", "width", value=0), "expected at least one"),
    (at("picture", "width", value=-5), "expected at least one"),
    (at("picture", "width", value=160.5), "width is a whole number"),
    (at("picture", "width", value=10**12), "at most 1,000,000,000"),
    (at("picture", "width", value=20), "the mask has 160 x 90 pixels, its frame is"),
    (at("nowhere", value=True), "from the spans follow False and 0.125"),
    (at("nowhere", value=0), "from the spans follow False and 0.125"),
    (at("nowhere_score", value=0.8), "from the spans follow False and 0.125"),
    (at("nowhere_score", value=None), "from the spans follow False and 0.125"),
    (at("nowhere_score", value="0.9"), "nowhere_score is '0.9'"),
    (at("parse_failures", value="cut"), "parse_failures is a list"),
    (at("parse_failures", value=[1]), "parse_failures is a string"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_every_broken_field_is_told_apart(change: Callable[[dict[str, Any]], None], message: str) -> None:
    content = copy.deepcopy(answer().to_dict())
    change(content)
    with pytest.raises(MalformedAnswer, match=message):
        Answer.from_json(json.dumps(content))


def test_what_the_schema_refuses_is_refused_here_too() -> None:
    refused = 0
    for change, _ in BROKEN:
        content = copy.deepcopy(answer().to_dict())
        change(content)
        refused += not VALIDATOR.is_valid(json.loads(json.dumps(content)))
    assert refused >= 30


def test_nowhere_with_places_breaks_the_schema() -> None:
    content = answer().to_dict()
    content["spans"][1]["places"] = content["spans"][0]["places"]
    assert not VALIDATOR.is_valid(content)
    content = answer().to_dict()
    content["spans"][1]["nowhere_score"] = None
    assert not VALIDATOR.is_valid(content)


def test_offsets_count_characters_not_bytes() -> None:
    made = answer(text="🐕🐈 é", spans=(Span(1, 2, "🐈"), Span(3, 4, "é")))
    assert Answer.from_json(made.to_json()).spans == made.spans


def test_boxes_come_back_to_the_last_bit() -> None:
    exact = Box(0.1 + 0.2, 1 / 3, 2 / 3 * 100, 89.99999999999999, frame=FRAME)
    made = answer(spans=(Span(2, 5, "dog", (Place(exact, 1 / 3),)),))
    assert Answer.from_json(made.to_json()).spans[0].places[0] == Place(exact, 1 / 3)


REGIONS: dict[str, Region] = {
    "a": Box(1, 2, 30, 40.5, frame=FRAME),
    "b": Point(3, 4, frame=FRAME),
    "c": Polygon(((1, 2), (30, 4), (5, 60)), frame=FRAME),
    "d": Scribble(((1, 2), (30, 4)), frame=FRAME),
    "e": disc(),
}


def test_what_was_asked_comes_back() -> None:
    asked = answer(
        question='{a} {b} {c} {d} {e}? {{"x": 1}}',
        regions=tuple(REGIONS.items()),
        weights="a317",
        finish="length",
    )
    content = json.loads(asked.to_json())
    VALIDATOR.validate(content)
    assert content["question"] == asked.question and content["finish"] == "length"
    assert content["regions"]["a"] == {"box": [1, 2, 30, 40.5]} and content["regions"]["b"] == {
        "point": [3, 4]
    }
    again = Answer.from_json(asked.to_json())
    assert again == asked and again.weights == content["weights"] == "a317"


def test_a_region_in_another_frame_is_written_in_pixels() -> None:
    asked = answer(question="{it}", regions=(("it", Box(0.25, 0.5, 0.5, 1, frame=UNIT)),))
    assert asked.to_dict()["regions"] == {"it": {"box": [40, 45, 80, 90]}}


def test_the_name_of_the_picture_comes_back() -> None:
    named = open_picture(picture().image(), name="photos/dog.jpg")
    content = answer(pictures=(named,)).to_dict()
    assert content["picture"]["name"] == "photos/dog.jpg"
    assert Answer.from_json(json.dumps(content)).picture.name == "photos/dog.jpg"


def test_json_of_versions_before_is_read() -> None:
    content = answer().to_dict()
    del content["question"], content["regions"], content["finish"]
    assert Answer.from_json(json.dumps(content)) == answer()


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ([], "regions is an object"),
        ({"a": {"box": [1, 2, 3]}}, "region 'a' of the answer is not usable: is"),
        ({"a": {"circle": [1, 2, 3]}}, "exactly one of box, point"),
        ({"a": {"box": [1, 2, 900, 4]}}, "region 'a'.*sticks out"),
        ({"a": {"box": [1, 2, 3, 4], "picture": 1}}, "something is in picture 1"),
        ({"a": {"mask": {"size": [2, 2], "counts": "04"}}}, "region 'a'.*not usable"),
        ({"a": 7}, "region 'a'.*not usable"),
    ],
)
def test_a_region_that_cannot_be_is_refused(regions: object, message: str) -> None:
    with pytest.raises(MalformedAnswer, match=message):
        Answer.from_json(json.dumps({**answer().to_dict(), "regions": regions}))
