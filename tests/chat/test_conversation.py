"""What can be typed in a dialogue, and what is said and drawn then."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from deixis.answers import answer_schema
from deixis.chat.commands import COMMANDS
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
    assert talk.reply(" what is there? ").splitlines() == [
        "Number 1.",
        "  Number: box 1.0, 1.0, 21.0, 30.0, score 0.75",
        "  0.25 s",
    ]
    first = talk.out.read_bytes()
    talk.reply("and then?")
    assert talk.out.read_bytes() != first
    assert {path.name for path in talk.out.parent.iterdir()} == {
        "photo.png",
        "drawn.png",
    }  # nothing half done


def test_an_empty_line_is_nothing(talk):
    assert talk.reply("  \n") == "" and talk.session.exchanges == []


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
    talk.reply(line)
    assert list(talk.session.regions) == [name]
    region = talk.session.regions[name]
    assert isinstance(region, kind) and region.frame == talk.session.picture.frame
    if bounds:
        assert region.bounds().as_tuple() == bounds
    talk.reply(f"what is {{{name}}}?")
    assert talk.session.system.asked[-1].regions == {name: region}


def test_a_mask_is_read_from_a_file_whose_name_has_blanks(talk, tmp_path):
    mask = np.zeros((60, 80), np.uint8)
    mask[10:20, 5:30] = 255
    Image.fromarray(mask).save(tmp_path / "the mask.png")
    assert talk.reply(f"/mask m {tmp_path}/the mask.png") == "{m}: mask of 250 pixels"
    assert isinstance(talk.session.regions["m"], Mask)


def test_every_kind_of_region_has_a_command():
    assert [command.name for command in COMMANDS][: len(FORMS)] == list(FORMS)
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_regions_in_another_frame_are_listed_in_pixels_replaced_and_dropped(talk):
    talk.frame = "unit"
    assert talk.reply("/regions").startswith("no regions")
    assert talk.reply("/box a 0.5,0,1,0.5") == "{a}: box (40, 0, 80, 30)"
    talk.reply("/scribble b 0,0;0.5,0.5;1,1")
    assert "instead of the one before" in talk.reply("/point a 0.5,0.5")
    assert talk.reply("/regions").splitlines() == [
        "{a}: point (40, 30)",
        "{b}: scribble (0, 0, 40, 30, 80, 60), 3 points",
    ]
    talk.reply("/drop {a}")
    assert list(talk.session.regions) == ["b"]
    assert "fractions" in talk.reply("/help")


def test_a_region_that_sticks_out_is_cut_with_a_note(talk):
    said = talk.reply("/box a 50,20,300,40")
    assert said.startswith("{a}: box (50, 20, 80, 40)\nnote: ") and "sticks out" in said


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("what is {a}?", UsageError, r"no region \{a\}; the regions are: none. Add one: /box a"),
        ("/box a 1,2,3", UsageError, r"'1,2,3' can't be read; type /box \[NAME\] X0,Y0,X1,Y1"),
        ("/box 9a 1,2,3,4", UsageError, "can't be read"),
        ("/box", UsageError, r"/box needs more; type /box \[NAME\]"),
        ("/box a 30,2,10,4", BadRegion, "needs x0 < x1"),
        ("/box a nan,2,10,4", BadRegion, "finite"),
        ("/point a 900,2", BadRegion, "outside the picture"),
        ("/polygon a 1,1;2,2", BadRegion, "needs 3 to"),
        ("/mask a gone.png", BadPicture, "there is no picture file"),
        ("/drop a", UsageError, r"no region \{a\}"),
        ("/bxo a 1,2,3,4", UsageError, r"no command /bxo; did you mean /box\?"),
        ("/regoins", UsageError, r"did you mean /regions\?"),
        ("/", UsageError, "no command /; /help lists all"),
        ("/undo 2", UsageError, "takes nothing behind it; got '2'"),
        ("/undo", UsageError, "no turn to take back"),
        ("/json", UsageError, "no answer yet"),
        ("/save", UsageError, "/save needs more"),
        ("too long", UsageError, "999 tokens"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(talk, line, kind, message):
    with pytest.raises(kind, match=message):
        talk.reply(line)
    assert talk.session.regions == {} and talk.session.exchanges == [] and not talk.over


def test_what_is_forgotten_for_want_of_room_is_told(talk):
    for question in ("1?", "2?", "3?"):
        assert "note" not in talk.reply(question)
    for question in ("4?", "5?"):
        first, second = talk.reply(question).splitlines()[:2]
        assert first.startswith("note: no room for all that was said: the question has 4 tokens")
        assert first.endswith("The oldest part is forgotten: 1 turn") and second.startswith("Number")


def test_undo_takes_back_the_turn_and_its_drawing(talk):
    talk.reply("1?")
    drawn = talk.out.read_bytes()
    talk.reply("2?")
    assert talk.reply("/undo") == "taken back: 2?"
    assert talk.out.read_bytes() == drawn
    talk.reply("3?")
    assert talk.session.system.asked[-1].before == ("1?",)
    assert talk.reply("/undo") == "taken back: 3?" and talk.reply("/undo") == "taken back: 1?"
    with pytest.raises(UsageError):
        talk.reply("/undo")


def test_new_forgets_and_keeps_regions(talk):
    talk.reply("/point a 5,6")
    talk.reply("1?")
    assert talk.reply("/new") == "forgotten: 1 turn; regions keep their names"
    talk.reply("2? {a}")
    assert talk.session.system.asked[-1].before == ()


def test_json_is_the_last_answer(talk):
    talk.reply("1?")
    talk.reply("2?")
    said = json.loads(talk.reply("/json"))
    jsonschema.validate(said, answer_schema())
    assert said["text"] == "Number 2."


def test_save_writes_a_line_a_turn(talk, tmp_path):
    talk.reply("/box a 1,2,30,40")
    for line in ("1?", "what is {a}?", "wrong", "/undo", "/new", "3?"):
        talk.reply(line)
    file = tmp_path / "new" / "chat.jsonl"
    assert talk.reply(f"/save {file}") == f"saved: {file}, 3 turns"
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
    talk.reply("4?")
    assert "4 turns" in talk.reply(f"/save {file}")


def test_save_never_overwrites_the_picture_or_the_drawing(talk, tmp_path):
    photo = talk.source.read_bytes()
    talk.reply("1?")
    for file in (talk.source, talk.out, tmp_path / "new" / ".." / "photo.png"):
        with pytest.raises(UsageError, match="give another name"):
            talk.reply(f"/save {file}")
    assert talk.source.read_bytes() == photo
    with pytest.raises(UsageError, match="cannot write"):
        talk.reply(f"/save {tmp_path}")


def test_an_answer_is_not_lost_when_it_cannot_be_drawn(talk, tmp_path):
    (tmp_path / "taken").mkdir()
    talk.out = tmp_path / "taken"
    said = talk.reply("1?")
    assert said.startswith("Number 1.") and "\nnote: cannot write" in said
    assert len(talk.session.exchanges) == 1


def test_quit_and_help(talk):
    said = talk.reply("/help")
    assert all(command.usage in said for command in COMMANDS)
    assert "difference between {a} and {b}" in said and "pixels of the picture" in said
    assert not talk.over
    assert talk.reply("/quit") == "" and talk.over
