"""What can be typed in a dialogue, and what is said and drawn then."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from deixis.answers import answer_schema
from deixis.chat.commands import COMMANDS, reply
from deixis.chat.conversation import Conversation
from deixis.chat.session import Session
from deixis.errors import BadPicture, BadRegion, UsageError
from deixis.pictures.opening import open_picture
from deixis.records.typed_regions import FORMS
from deixis.regions.shapes import Box, Mask, Point, Polygon, Scribble
from tests.chat.remembering import Remembering


@pytest.fixture
def talk(tmp_path: Path) -> Conversation:
    source = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(source)
    session = Session(Remembering(room=2), open_picture(source))  # type: ignore[arg-type]
    return Conversation(session, source=source, out=tmp_path / "drawn.png")


def test_an_answer_is_text_places_and_time_and_is_drawn(talk):
    assert reply(" what is there? ", talk).splitlines() == [
        "Number 1.",
        "  Number: box 1.0, 1.0, 21.0, 30.0, score 0.75",
        "  0.25 s",
    ]
    first = talk.out.read_bytes()
    reply("and then?", talk)
    assert talk.out.read_bytes() != first
    assert {path.name for path in talk.out.parent.iterdir()} == {
        "photo.png",
        "drawn.png",
    }  # nothing half done


def test_an_empty_line_is_nothing(talk):
    assert reply("  \n", talk) == "" and talk.session.exchanges == []


@pytest.mark.parametrize(
    ("line", "name", "kind", "bounds"),
    [
        ("/box a 1,2,30,40", "a", Box, (1, 2, 30, 40)),
        ("/box a = 1, 2, 30, 40", "a", Box, (1, 2, 30, 40)),
        ("/box {a} 1,2,30,40", "a", Box, (1, 2, 30, 40)),
        ("/BOX 1,2,30,40", "it", Box, (1, 2, 30, 40)),
        ("/point p_1=5,6", "p_1", Point, None),
        ("/point 5,6", "it", Point, None),
        ("/polygon c 0,0;9,0;9,9", "c", Polygon, (0, 0, 9, 9)),
        ("/scribble d 1,1;20,20", "d", Scribble, (1, 1, 20, 20)),
    ],
)
def test_regions_are_typed(talk, line, name, kind, bounds):
    reply(line, talk)
    assert list(talk.session.regions) == [name]
    region = talk.session.regions[name]
    assert isinstance(region, kind) and region.frame == talk.session.picture.frame
    if bounds:
        assert region.bounds().as_tuple() == bounds
    reply(f"what is {{{name}}}?", talk)
    assert talk.session.system.asked[-1].regions == {name: region}


def test_a_mask_is_read_from_a_file_whose_name_has_blanks(talk, tmp_path):
    mask = np.zeros((60, 80), np.uint8)
    mask[10:20, 5:30] = 255
    Image.fromarray(mask).save(tmp_path / "the mask.png")
    assert reply(f"/mask m {tmp_path}/the mask.png", talk) == "{m}: mask of 250 pixels"
    assert isinstance(talk.session.regions["m"], Mask)


def test_every_kind_of_region_has_a_command():
    assert [command.name for command in COMMANDS][: len(FORMS)] == list(FORMS)
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_regions_in_another_frame_are_listed_in_pixels_replaced_and_dropped(talk):
    talk.frame = "unit"
    assert reply("/regions", talk).startswith("There are no regions.")
    assert reply("/box a 0.5,0,1,0.5", talk) == "{a}: box (40, 0, 80, 30)"
    reply("/scribble b 0,0;0.5,0.5;1,1", talk)
    assert "instead of the one before" in reply("/point a 0.5,0.5", talk)
    assert reply("/regions", talk).splitlines() == [
        "{a}: point (40, 30)",
        "{b}: scribble (0, 0, 40, 30, 80, 60), 3 points",
    ]
    reply("/drop {a}", talk)
    assert list(talk.session.regions) == ["b"]
    assert "fractions" in reply("/help", talk)


def test_a_region_that_sticks_out_is_cut_with_a_note(talk):
    said = reply("/box a 50,20,300,40", talk)
    assert said.startswith("{a}: box (50, 20, 80, 40)\nnote: ") and "sticks out" in said


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("what is {a}?", UsageError, r"There is no region \{a\}. The regions are: none. Add one with /box a"),
        ("/box a 1,2,3", UsageError, r"'1,2,3' can't be read. Type /box \[NAME\] X0,Y0,X1,Y1"),
        ("/box 9a 1,2,3,4", UsageError, "can't be read"),
        ("/box", UsageError, r"/box needs more behind it. Type /box \[NAME\]"),
        ("/box a 30,2,10,4", BadRegion, "needs x0 < x1"),
        ("/box a nan,2,10,4", BadRegion, "finite"),
        ("/point a 900,2", BadRegion, "outside the picture"),
        ("/polygon a 1,1;2,2", BadRegion, "needs 3 to"),
        ("/mask a gone.png", BadPicture, "there is no picture file"),
        ("/drop a", UsageError, r"no region \{a\}"),
        ("/bxo a 1,2,3,4", UsageError, r"There is no command /bxo. Did you mean /box\?"),
        ("/regoins", UsageError, r"Did you mean /regions\?"),
        ("/", UsageError, "There is no command /. Type /help to see all commands"),
        ("/undo 2", UsageError, "takes nothing behind it, but got '2'"),
        ("/undo", UsageError, "no turn to take back"),
        ("/json", UsageError, "no answer yet"),
        ("/save", UsageError, "/save needs more"),
        ("too long", UsageError, "999 tokens"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(talk, line, kind, message):
    with pytest.raises(kind, match=message):
        reply(line, talk)
    assert talk.session.regions == {} and talk.session.exchanges == [] and not talk.over


def test_what_is_forgotten_for_want_of_room_is_told(talk):
    for question in ("1?", "2?", "3?"):
        assert "note" not in reply(question, talk)
    for question in ("4?", "5?"):
        first, second = reply(question, talk).splitlines()[:2]
        assert first.startswith("note: there is no room for all that was said: the question has 4 tokens")
        assert first.endswith("The oldest part was forgotten: 1 turn.") and second.startswith("Number")


def test_undo_takes_back_the_turn_and_its_drawing(talk):
    reply("1?", talk)
    drawn = talk.out.read_bytes()
    reply("2?", talk)
    assert reply("/undo", talk) == "taken back: 2?"
    assert talk.out.read_bytes() == drawn
    reply("3?", talk)
    assert talk.session.system.asked[-1].before == ("1?",)
    assert reply("/undo", talk) == "taken back: 3?" and reply("/undo", talk) == "taken back: 1?"
    with pytest.raises(UsageError):
        reply("/undo", talk)


def test_new_forgets_and_keeps_regions(talk):
    reply("/point a 5,6", talk)
    reply("1?", talk)
    assert reply("/new", talk) == "forgotten: 1 turn; regions keep their names"
    reply("2? {a}", talk)
    assert talk.session.system.asked[-1].before == ()


def test_json_is_the_last_answer(talk):
    reply("1?", talk)
    reply("2?", talk)
    said = json.loads(reply("/json", talk))
    jsonschema.validate(said, answer_schema())
    assert said["text"] == "Number 2."


def test_save_writes_a_line_a_turn(talk, tmp_path):
    reply("/box a 1,2,30,40", talk)
    for line in ("1?", "what is {a}?", "wrong", "/undo", "/new", "3?"):
        reply(line, talk)
    file = tmp_path / "new" / "chat.jsonl"
    assert reply(f"/save {file}", talk) == f"saved: {file}, 3 turns"
    text = file.read_text()
    assert text.endswith("}\n")
    turns = [json.loads(line) for line in text.splitlines()]
    assert [turn["turn"] for turn in turns] == [1, 2, 3]
    assert [turn["question"] for turn in turns] == ["1?", "what is {a}?", "3?"]
    assert [turn["remembered"] for turn in turns] == [0, 1, 0]
    assert [turn["regions"] for turn in turns] == [{}, {"a": {"box": [1, 2, 30, 40]}}, {}]
    for turn in turns:
        assert turn["picture"] == "photo.png"
        jsonschema.validate(turn["answer"], answer_schema())
    reply("4?", talk)
    assert "4 turns" in reply(f"/save {file}", talk)


def test_save_never_overwrites_the_picture_or_the_drawing(talk, tmp_path):
    photo = talk.source.read_bytes()
    reply("1?", talk)
    for file in (talk.source, talk.out, tmp_path / "new" / ".." / "photo.png"):
        with pytest.raises(UsageError, match="give another name"):
            reply(f"/save {file}", talk)
    assert talk.source.read_bytes() == photo
    with pytest.raises(UsageError, match="is a folder; give the name of a file"):
        reply(f"/save {tmp_path}", talk)


def test_an_answer_is_not_lost_when_it_cannot_be_drawn(talk, tmp_path):
    (tmp_path / "taken").mkdir()
    talk.out = tmp_path / "taken"
    said = reply("1?", talk)
    assert said.startswith("Number 1.") and "\nnote: " in said
    assert len(talk.session.exchanges) == 1


def test_quit_and_help(talk):
    said = reply("/help", talk)
    assert all(command.usage in said for command in COMMANDS)
    assert "difference between {a} and {b}" in said and "pixels of the picture" in said
    assert not talk.over
    assert reply("/quit", talk) == "" and talk.over


@pytest.mark.parametrize(
    "file", [".", "..", "/", "n" * 300, "~nobody-of-that-name/x.jsonl", "a\0b", "/dev/full"]
)
def test_a_transcript_that_cannot_be_written_leaves_the_dialogue_as_it_is(talk, file):
    reply("1?", talk)
    with pytest.raises(UsageError):
        reply(f"/save {file}", talk)
    assert len(talk.session.exchanges) == 1 and "Number 2." in reply("2?", talk)


@pytest.mark.parametrize(
    ("line", "doubted"),
    [
        ("/box a 0.1,0.2,0.5,0.9", True),
        ("/point a 0.5,0.5", True),
        ("/scribble a 0.1,0.2;0.5,0.9", True),
        ("/box a 1,2,30,40", False),
        ("/point a 0,1", False),
    ],
)
def test_fractions_in_pixels_are_doubted(talk, line, doubted):
    said = reply(line, talk)
    assert ("\nnote: {a} has all its coordinates in 0..1, measured in pixels" in said) == doubted
    assert ("Then start the dialogue with --frame unit" in said) == doubted


def test_a_mask_has_the_limit_of_pixels_of_the_picture(talk, tmp_path):
    Image.new("L", (80, 60), 255).save(tmp_path / "mask.png")
    assert reply(f"/mask m {tmp_path}/mask.png", talk) == "{m}: mask of 4800 pixels"
    talk.max_pixels = 4_799
    with pytest.raises(BadPicture, match="--max-pixels"):
        reply(f"/mask m {tmp_path}/mask.png", talk)


def test_doubled_braces_are_words(talk):
    reply('Say {{"a": 1}}.', talk)
    assert talk.session.system.asked[0].question == 'Say {{"a": 1}}.'


def test_json_says_by_which_weights(talk):
    reply("1?", talk)
    assert json.loads(reply("/json", talk))["weights"] == "f00d"
