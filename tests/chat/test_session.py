"""What a dialogue remembers, what it forgets, and what it gives to the system."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deixis.chat.session import Session, within
from deixis.errors import BadRegion, UsageError
from deixis.pictures.opening import open_picture
from deixis.regions.frames import THOUSANDTHS
from deixis.regions.shapes import Box, Point
from deixis.systems.questions import checked_question
from tests.chat.remembering import Remembering
from tests.contract.promises import assert_same_answer, prompt_of
from tests.systems.decoding import reads_of
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = open_picture(np.zeros((60, 80, 3), np.uint8), name="black")


def session(*, room: int = 100) -> Session:
    regions = {
        "a": Box(1, 2, 30, 40, frame=PICTURE.frame),
        "dog": Box(5, 6, 70, 50, frame=PICTURE.frame),
    }
    settings = {"max_new_tokens": 7, "seed": 3}
    return Session(Remembering(room=room), PICTURE, regions=regions, settings=settings)  # type: ignore[arg-type]


def test_the_system_gets_the_same_picture_and_settings_the_regions_in_use_and_all_earlier_answers() -> None:
    talk = session()
    for question in ("first?", "what is {a}?", "{dog} or {a}?"):
        talk.ask(question)
    asked = talk.system.asked
    assert all(one.picture is PICTURE and one.settings == {"max_new_tokens": 7, "seed": 3} for one in asked)
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
    with pytest.raises(UsageError, match=r"no region \{dgo\}. Did you mean \{dog\}\? .* \{a\}, \{dog\}"):
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


def test_a_real_system_encodes_the_picture_once_and_reads_what_was_said() -> None:
    system, picture = tiny_system(), noise_picture()
    encoded: list[int] = []
    system.network.tower.register_forward_hook(lambda *_: encoded.append(1))
    regions = {"a": Box(5, 6, 60, 70, frame=picture.frame)}
    talk = Session(system, picture, regions=regions, settings={"max_new_tokens": 8})
    answers = [talk.ask(question).answer for question in ("where is the dog?", "what is {a}?", "what?")]
    assert len(encoded) == 1
    again = system.ask(picture, "what?", before=answers[:2], max_new_tokens=8)
    assert_same_answer(again, answers[2])
    assert len(encoded) == 1


def test_what_was_said_is_given_to_the_letter_and_read_once() -> None:
    """Not spelt anew from words and places; only what is new of a dialogue is read."""
    system, picture = tiny_system(), noise_picture()
    talk = Session(system, picture, settings={"max_new_tokens": 8, "temperature": 1.0, "seed": 1})
    said: list[tuple[int, ...]] = []
    for question in ("where is the dog?", "and the hat?", "what is there?"):
        prompt = prompt_of(system, checked_question(question, {}, picture, before=talk.remembered))
        for ids in said:
            assert any(prompt.ids[at : at + len(ids)] == ids for at in range(len(prompt.ids)))
        with reads_of(system.decoder) as read:
            answer = talk.ask(question).answer
        assert answer.raw is not None
        if said:  # what the dialogue was, to the last token that was read, is taken over
            new = len(system.vocabulary.encode(question)) + 2
            assert sum(read[0]) <= new + 2
        said.append(answer.raw.ids)


def test_a_real_system_that_has_no_room_forgets_the_oldest() -> None:
    system, picture = tiny_system(max_text=24), noise_picture()
    talk = Session(system, picture, settings={"max_new_tokens": 4})
    for _ in range(6):
        talk.ask("where is the big red dog?")
    crowded = [exchange for exchange in talk.exchanges if exchange.crowding]
    assert crowded
    for exchange in crowded:
        assert re.search(r"tokens; at most 24|: \d+ too many", exchange.crowding), exchange.crowding
    assert 0 < talk.first < 6
    with pytest.raises(UsageError, match="tokens; at most 24"):
        talk.ask("dog " * 30)
