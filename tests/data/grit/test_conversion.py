"""Records as dialogues: phrases with their boxes, regions, and the same text as the record itself becomes."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.data.grit.conversion import ReferringTurn, phrase_start, record_dialogue
from deixis.data.grit.draws import NumpyDraws, StatedFormats
from deixis.data.grit.locations import PointRule, choose_locations
from deixis.data.grit.records import GritRecord
from deixis.data.grit.rendering import INCLUDE_COORDINATES, render_record
from deixis.errors import RecordError
from deixis.pictures.opening import open_picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Mark
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point
from deixis.systems.ferret.dialect import FerretDialect
from deixis.systems.spliced.prompts import exchanges
from tests.data.grit.made import DISC, RUNS, record

FRAME = Frame.original(60, 44)
DOG, CAT = [12, 7, 28, 23], [40, 2, 50, 12]


def turns_of(
    asked: GritRecord, *, form: str = "box", frame: Frame = FRAME, request: str = ""
) -> list[ReferringTurn]:
    draws = StatedFormats(NumpyDraws(np.random.default_rng(0)), form)  # type: ignore[arg-type]
    locations = choose_locations(asked, PointRule(), draws)
    dialogue = record_dialogue(asked, locations, frame, request=request)
    return [turn for turn in dialogue.turns if isinstance(turn, ReferringTurn)]


@pytest.mark.parametrize(
    ("answer", "plain", "phrases"),
    [
        ("No, but there is a dog <bbox_location0>.", "No, but there is a dog.", ["a dog"]),
        (
            "The dog <bbox_location0> is on the left of the cat <bbox_location1>.",
            "The dog is on the left of the cat.",
            ["The dog", "the cat"],
        ),
        ("red cup <bbox_location0>.", "red cup.", ["red cup"]),
        ("1: dog <bbox_location0>, 2: cat <bbox_location1>.", "1: dog, 2: cat.", ["dog", "cat"]),
        (
            "A man in a red hat <bbox_location0> and a cat <bbox_location1>",
            "A man in a red hat and a cat",
            ["A man in a red hat", "a cat"],
        ),
        ("two dogs <bbox_location0> <bbox_location1>.", "two dogs.", ["two dogs"]),
        ("two dogs <bbox_location0>, <bbox_location1> run", "two dogs run", ["two dogs"]),
        ("two dogs <bbox_location0> and <bbox_location1>", "two dogs", ["two dogs"]),
        ("<bbox_location0>", "here", ["here"]),
        ("It is at <bbox_location0>.", "It is at here.", ["here"]),
        ("Nothing.", "Nothing.", []),
    ],
)
def test_phrases_before_a_placeholder_get_its_box(answer: str, plain: str, phrases: list[str]) -> None:
    (turn,) = turns_of(record("Where?", answer, box_x1y1x2y2=[[], [DOG, CAT]]))
    assert turn.answer == plain
    assert [turn.answer[mark.start : mark.end] for mark in turn.marks] == phrases
    boxes = [box.as_tuple() for mark in turn.marks for box in mark.boxes]
    assert boxes == [tuple(map(float, box)) for box in (DOG, CAT)][: answer.count("<bbox")]


@pytest.mark.parametrize("text", ["is at", "the dog.", "x, "])
def test_where_no_noun_phrase_ends_a_text(text: str) -> None:
    assert phrase_start(text, after=0) == len(text)


def test_questions_name_their_regions_and_what_these_mean() -> None:
    asked = record(
        "<image>\nIs <bbox_location0> near <bbox_location1>, <bbox_location0>? {sic}",
        "Yes.",
        box_x1y1x2y2=[[DOG, CAT], []],
        masks=[[RUNS, None], []],
    )
    (turn,) = turns_of(asked, form="point")
    assert turn.question == "Is {region0} near {region1}, {region0}? (sic)"
    dog, cat = (region for _, region in turn.regions)
    assert dog == Point(20, 15, frame=FRAME) and isinstance(cat, Point)
    assert dict(turn.meant)["region0"] == Mask.from_array(DISC, frame=FRAME)
    assert dict(turn.meant)["region1"] == Box(*CAT, frame=FRAME)


def test_boxes_are_cut_at_the_edges_and_never_empty() -> None:
    boxes = [[[-3, 5, 99, 49], [30, 30, 30, 30], [59, 43, 59, 43], [70, 50, 80, 60]], []]
    text = " ".join(f"<bbox_location{n}>" for n in range(4))
    (turn,) = turns_of(record(text, "Yes.", box_x1y1x2y2=boxes))
    assert [region.bounds().as_tuple() for _, region in turn.regions] == [
        (0, 5, 60, 44), (30, 30, 31, 31), (59, 43, 60, 44), (59, 43, 60, 44),
    ]  # fmt: skip


def test_everything_is_carried_to_the_picture_that_travels_with_it() -> None:
    picture = letterbox(open_picture(np.zeros((44, 60, 3), dtype=np.uint8)), 30)
    asked = record(
        "<bbox_location0>", "a dog <bbox_location0>", box_x1y1x2y2=[[DOG], [DOG]], masks=[[RUNS], [None]]
    )
    (turn,) = turns_of(asked, frame=picture.frame)
    (_, region), (_, meant), (mark,) = turn.regions[0], turn.meant[0], turn.marks
    assert region.bounds().as_tuple() == mark.boxes[0].as_tuple() == (6, 7.5, 14, 15.5)
    assert region.frame == meant.frame == picture.frame and isinstance(meant, Mask)
    assert meant.bounds().iou(region.bounds()) > 0.7


def test_the_request_is_asked_of_grounded_kinds() -> None:
    asked = record("Where?", "Here.", "Again?", "Here.", dataset="flickr")
    first, second = turns_of(asked, request=INCLUDE_COORDINATES)
    assert first.question.endswith(INCLUDE_COORDINATES) and second.question == "Again?"


def test_pictures_of_another_size_and_open_ends_are_refused() -> None:
    asked = record("<bbox_location0>", "A", box_x1y1x2y2=[[DOG], []])
    with pytest.raises(
        RecordError, match=r"image_w and image_h are \(60, 44\), but the picture has .*\(44, 60\)"
    ):
        turns_of(asked, frame=Frame.original(44, 60))
    with pytest.raises(RecordError, match="ends with a question"):
        turns_of(record("A", "B", "C"))


@pytest.mark.parametrize("form", ["point", "box"])
def test_ferret_writes_the_dialogue_as_the_record_itself_is_written(form: str) -> None:
    asked = record(
        "<image>\nWhat is <bbox_location0> to <bbox_location1>?",
        "The dog <bbox_location0> is on the left of two cats <bbox_location1> <bbox_location0>.",
        "Is <bbox_location0> a cat?",
        "No.",
        box_x1y1x2y2=[[DOG, CAT], [DOG, CAT], [CAT], []],
        masks=[[RUNS, RUNS], [None, None], [RUNS], []],
    )
    draws = StatedFormats(NumpyDraws(np.random.default_rng(0)), form)  # type: ignore[arg-type]
    locations = choose_locations(asked, PointRule(), draws)
    dialogue = record_dialogue(asked, locations, FRAME)
    written, regions = exchanges(dialogue.turns, dialect=FerretDialect(), specials=("<region_fea>",))
    rendered = render_record(asked, locations)
    assert [text for pair in written for text in pair] == [text for _, text in rendered.turns]
    assert len(regions) == len(rendered.regions) == 3


def test_a_mark_of_a_dialogue_is_a_mark() -> None:
    (turn,) = turns_of(record("Where?", "a dog <bbox_location0>", box_x1y1x2y2=[[], [DOG]]))
    assert turn.marks == (Mark(0, 5, (Box(*DOG, frame=FRAME),)),)
