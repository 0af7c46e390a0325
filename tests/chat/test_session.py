"""What a dialogue remembers, what it forgets, and what it gives to the system."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.chat.session import Session, within
from deixis.errors import BadRegion, UsageError
from deixis.pictures.opening import open_picture
from deixis.regions.frames import THOUSANDTHS
from deixis.regions.shapes import Box, Point
from tests.chat.remembering import Remembering
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = open_picture(np.zeros((60, 80, 3), np.uint8), name="black")


def session(*, room: int = 100) -> Session:
    regions = {
        "a": Box(1, 2, 30, 40, frame=PICTURE.frame),
        "dog": Box(5, 6, 70, 50, frame=PICTURE.frame),
    }
    return Session(Remembering(room=room), PICTURE, regions=regions, max_new_tokens=7)  # type: ignore[arg-type]


def test_the_system_gets_the_same_picture_the_regions_in_use_and_all_earlier_answers() -> None:
    talk = session()
    for question in ("first?", "what is {a}?", "{dog} or {a}?"):
        talk.ask(question)
    asked = talk.system.asked
    assert all(one.picture is PICTURE and one.max_new_tokens == 7 for one in asked)
    assert [list(one.regions) for one in asked] == [[], ["a"], ["dog", "a"]]
    assert asked[1].regions["a"] == talk.regions["a"]
    assert [one.before for one in asked] == [(), ("first?",), ("first?", "what is {a}?")]
    assert [exchange.given for exchange in talk.exchanges] == [0, 1, 2]


def test_the_oldest_are_forgotten_as_few_as_possible() -> None:
    talk = session(room=2)
    for question in ("1?", "2?", "3?"):
        assert not talk.ask(question).crowding
    fourth = talk.ask("4?")
    assert talk.system.asked[-1].before == ("2?", "3?")
    assert fourth.given == 2 and "has 4 tokens; at most 3" in fourth.crowding
    assert [answer.question for answer in talk.remembered] == ["2?", "3?", "4?"]
    assert len(talk.exchanges) == 4  # the transcript has them all


def test_undo_brings_back_what_the_last_turn_crowded_out() -> None:
    talk = session(room=2)
    for question in ("1?", "2?", "3?", "4?"):
        talk.ask(question)
    assert talk.undo().answer.question == "4?"
    assert [answer.question for answer in talk.remembered] == ["1?", "2?", "3?"]
    assert talk.last().question == "3?"


def test_a_question_that_fails_by_itself_changes_nothing() -> None:
    talk = session(room=2)
    talk.ask("1?")
    with pytest.raises(UsageError, match="999 tokens"):
        talk.ask("too long")
    talk.ask("2?")
    assert talk.system.asked[-1].before == ("1?",)
    assert len(talk.exchanges) == 2 and talk.first == 0


def test_forgetting_ends_what_can_be_taken_back() -> None:
    talk = session()
    talk.ask("1?")
    talk.ask("2?")
    assert talk.forget() == 2 and talk.forget() == 0
    with pytest.raises(UsageError, match="no turn to take back"):
        talk.undo()
    with pytest.raises(UsageError, match="no answer yet"):
        talk.last()
    talk.ask("3?")
    assert talk.system.asked[-1].before == ()
    talk.undo()
    assert talk.remembered == [] and len(talk.exchanges) == 2


def test_an_unknown_region_suggests_the_nearest() -> None:
    talk = session()
    with pytest.raises(UsageError, match=r"no region \{dgo\}; did you mean \{dog\}\? .* \{a\}, \{dog\}"):
        talk.ask("what is {dgo}?")
    assert talk.system.asked == []


def test_a_region_is_brought_into_the_picture_with_a_note() -> None:
    inside, notes = within(Box(500, 0, 1000, 500, frame=THOUSANDTHS), PICTURE.frame)
    assert inside == Box(40, 0, 80, 30, frame=PICTURE.frame) and notes == []
    inside, notes = within(Box(50, 20, 300, 40), PICTURE.frame)
    assert inside == Box(50, 20, 80, 40, frame=PICTURE.frame)
    assert len(notes) == 1 and "sticks out" in notes[0]
    with pytest.raises(BadRegion, match="outside the picture"):
        within(Point(900, 2), PICTURE.frame)


def test_a_real_system_encodes_the_picture_once_and_reads_what_was_said(monkeypatch) -> None:
    system, picture = tiny_system(), noise_picture()
    perceived: list[str] = []
    perceive = system.perceive
    monkeypatch.setattr(system, "perceive", lambda *given: perceived.append("once") or perceive(*given))
    talk = Session(system, picture, regions={"a": Box(5, 6, 60, 70, frame=picture.frame)}, max_new_tokens=8)
    answers = [talk.ask(question).answer for question in ("where is the dog?", "what is {a}?", "what?")]
    assert perceived == ["once"]
    again = system.ask(picture, "what?", before=answers[:2], max_new_tokens=8)
    assert again.to_dict() | {"seconds": 0} == answers[2].to_dict() | {"seconds": 0}


def test_a_real_system_that_has_no_room_forgets_the_oldest() -> None:
    system, picture = tiny_system(max_text=24), noise_picture()
    talk = Session(system, picture, max_new_tokens=4)
    for _ in range(6):
        talk.ask("where is the big red dog?")
    crowded = [exchange for exchange in talk.exchanges if exchange.crowding]
    assert crowded and all("tokens; at most 24" in exchange.crowding for exchange in crowded)
    assert 0 < talk.first < 6
    with pytest.raises(UsageError, match="tokens; at most 24"):
        talk.ask("dog " * 30)
